import { accessSync, chmodSync, constants, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { writeFixedAppliance } from "./fixed-appliance.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** The daemon that the stock guestfish is to drive. */
export type GuestfishTarget =
  /** a command line, to which `-c fd:N` is added; ended with guestfish */
  | { readonly command: readonly string[] }
  /** the socket of a daemon that runs */
  | { readonly socketPath: string };

/** What lets the stock guestfish drive a daemon. */
export interface StockGuestfish extends Disposable {
  /** Variables to add to guestfish's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Removes the temporary files. Does nothing a second time. */
  dispose(): void;
}

/** Why the stock guestfish can't be driven here, in words for a skipped test; `undefined` when it can. */
export function whyNoStockGuestfish(): string | undefined {
  try {
    accessSync("/usr/bin/guestfish", constants.X_OK);
    return undefined;
  } catch {
    return "no /usr/bin/guestfish (Debian package libguestfs-tools)";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function compileHypervisor(target: string): void {
  // Beside this file is the source when it runs from source, and the compiled program otherwise.
  const here = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const source = readFileSync(fileURLToPath(new URL(`./hypervisor-main.${here}`, import.meta.url)), "utf8");
  writeFileSync(target, transformSync(source, { loader: here, format: "esm" }).code);
}

/** A shell in front: guestfish asks by SIGTERM for the end, takes death by it for a crash, and node dies of one that comes while it ends. */
function hypervisorScript(command: readonly string[]): string {
  return `#!/bin/sh
exec 3<&0
trap 'asked=yes; kill "$pid" 2>/dev/null' TERM
${command.map(quoted).join(" ")} "$@" <&3 3<&- &
pid=$!
wait "$pid"
status=$?
[ -z "$asked" ] || { wait "$pid" || :; exit 0; }
exit "$status"
`;
}

/**
 * Makes a stand-in for QEMU with which the stock guestfish (1.48) drives any guestfsd, without a virtual machine.
 * guestfish needs at least one drive to launch (`-N` makes none for real: use `-a` with any raw file).
 * @param target - the daemon; read at each launch
 */
export function stockGuestfishHypervisor(target: GuestfishTarget): StockGuestfish {
  const temporary = makeTemporaryFolder("stock-guestfish-");
  const folder = temporary.path;
  const program = join(folder, "hypervisor.mjs");
  const hypervisor = join(folder, "hypervisor");
  const targetFile = join(folder, "target.json");
  compileHypervisor(program);
  writeFileSync(targetFile, JSON.stringify(target));
  writeFileSync(hypervisor, hypervisorScript([process.execPath, program, targetFile]));
  chmodSync(hypervisor, 0o755);
  writeFixedAppliance(join(folder, "appliance"));
  const dispose = (): void => temporary.remove();
  return {
    environment: {
      LIBGUESTFS_BACKEND: "direct",
      LIBGUESTFS_HV: hypervisor,
      LIBGUESTFS_PATH: join(folder, "appliance"),
      // Capabilities that guestfish finds out are cached here, and are not those of a real QEMU.
      LIBGUESTFS_CACHEDIR: folder,
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
