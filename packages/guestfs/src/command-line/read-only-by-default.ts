import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandLineError } from "./command-line-error.ts";
import { parseLibconfig } from "./libconfig.ts";
import { strerror } from "./strerror.ts";

/** The files of settings, those that count more first (libguestfs-tools.conf(5)). */
function files(environment: NodeJS.ProcessEnv): string[] {
  const { HOME: home, XDG_CONFIG_HOME: own, XDG_CONFIG_DIRS: shared } = environment;
  const folders = [
    ...(own !== undefined && own !== "" ? [own] : home === undefined ? [] : [join(home, ".config")]),
    ...(shared === undefined || shared === "" ? "/etc/xdg" : shared).split(":").filter((folder) => folder !== ""),
  ];
  return [
    ...(home === undefined ? [] : [join(home, ".libguestfs-tools.rc")]),
    ...folders.map((folder) => join(folder, "libguestfs", "libguestfs-tools.conf")),
    "/etc/libguestfs-tools.conf",
  ];
}

/** Nothing for a file that is not there, or not for this user. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new CommandLineError(`${file}: ${strerror(error)}`, { cause: error });
  }
}

/**
 * Whether disks are opened read-only where neither `--ro` nor `--rw` says: `read_only` of libguestfs-tools.conf(5).
 * @throws CommandLineError for a file that can't be understood
 */
export function readOnlyByDefault(environment: NodeJS.ProcessEnv = process.env): boolean {
  // All of them are read, so that a mistake shows in whichever it is.
  const values = files(environment).map((file) => parseLibconfig(read(file) ?? "", file).get("read_only"));
  return values.find((value) => value !== undefined) ?? false;
}
