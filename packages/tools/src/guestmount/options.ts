import { UsageError } from "../tool-error.ts";
import type { FilesystemOptions } from "./guest-filesystem.ts";

/** What the arguments of `-o` come to. */
export interface FuseOptions extends Pick<FilesystemOptions, "uid" | "gid" | "umask"> {
  /** Options for the kernel. */
  readonly kernel: readonly string[];
  readonly readOnly: boolean;
  /** Seconds, of `attr_timeout`. */
  readonly validFor?: number;
}

const kernelFlags = new Set([
  "ro",
  "allow_other",
  "default_permissions",
  "dev",
  "nodev",
  "suid",
  "nosuid",
  "exec",
  "noexec",
  "noatime",
  "sync",
  "dirsync",
]);
/** Taken from scripts for the original, and of no effect. */
const ignored = new Set(["rw", "nonempty", "kernel_cache", "auto_cache", "big_writes", "use_ino", "readdir_ino"]);

/** What `--fuse-help` prints. */
export const fuseHelp = `Options for -o, separated by commas:
    ro                  read-only
    allow_other         other users may use the folder as well; permissions are then checked by the kernel
    default_permissions the kernel checks permissions
    uid=N gid=N         owner and group that all files are shown with
    umask=N             mask for the modes that all files are shown with, octal
    attr_timeout=N      how long the kernel may believe what it knows of a file, in seconds; also entry_timeout
    nodev nosuid noexec noatime sync dirsync
`;

function number(name: string, text: string, radix: number): number {
  if (!(radix === 8 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(text)) throw new UsageError(`-o ${name}=${text}: no number`);
  return Number.parseInt(text, radix);
}

/** @throws UsageError */
export function parseFuseOptions(values: readonly string[]): FuseOptions {
  const kernel: string[] = [];
  const numbers: { uid?: number; gid?: number; umask?: number; validFor?: number } = {};
  for (const option of values.flatMap((value) => value.split(",")).filter((word) => word !== "")) {
    const [name = "", text] = option.split("=");
    if (kernelFlags.has(option)) kernel.push(option);
    else if (text !== undefined && (name === "uid" || name === "gid")) numbers[name] = number(name, text, 10);
    else if (text !== undefined && name === "umask") numbers.umask = number(name, text, 8);
    else if (text !== undefined && (name === "attr_timeout" || name === "entry_timeout"))
      numbers.validFor = number(name, text.split(".")[0] ?? "", 10);
    else if (!ignored.has(option) && name !== "fsname" && name !== "subtype")
      throw new UsageError(`-o ${option}: there is no such option (--fuse-help)`);
  }
  // Without it, whoever may enter the folder could do all that the daemon may.
  if (kernel.includes("allow_other")) kernel.push("default_permissions");
  return { kernel: [...new Set(kernel)], readOnly: kernel.includes("ro"), ...numbers };
}
