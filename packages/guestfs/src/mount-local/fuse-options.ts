import type { FilesystemOptions } from "./guest-filesystem.ts";

/** What the options of a mount come to. */
export interface FuseOptions extends Pick<FilesystemOptions, "uid" | "gid" | "umask"> {
  /** Options for the kernel. */
  readonly kernel: readonly string[];
  readonly readOnly: boolean;
  /** Seconds, of `attr_timeout`. */
  readonly validFor?: number;
  /** What mount(8) shows as source, and behind `fuse.` as type. */
  readonly source?: string;
  readonly subtype?: string;
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

/** What the options are, for `--fuse-help` and its like. */
export const fuseHelp = `Options for -o, separated by commas:
    ro                  read-only
    allow_other         other users may use the folder as well; permissions are then checked by the kernel
    default_permissions the kernel checks permissions
    uid=N gid=N         owner and group that all files are shown with
    umask=N             mask for the modes that all files are shown with, octal
    attr_timeout=N      how long the kernel may believe what it knows of a file, in seconds; also entry_timeout
    fsname=NAME subtype=NAME
                        source and type that mount(8) shows
    nodev nosuid noexec noatime sync dirsync
`;

function number(name: string, text: string, radix: number): number {
  if (!(radix === 8 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(text)) throw new RangeError(`${name}=${text}: no number`);
  return Number.parseInt(text, radix);
}

/**
 * Reads options as mount.fuse3(8) has them, separated by commas.
 * @throws RangeError naming the option, without the call
 */
export function parseFuseOptions(text: string): FuseOptions {
  const kernel: string[] = [];
  const numbers: { uid?: number; gid?: number; umask?: number; validFor?: number } = {};
  const names: { source?: string; subtype?: string } = {};
  for (const option of text.split(",").filter((word) => word !== "")) {
    const [name = "", value] = option.split("=");
    if (kernelFlags.has(option)) kernel.push(option);
    else if (value !== undefined && (name === "uid" || name === "gid")) numbers[name] = number(name, value, 10);
    else if (value !== undefined && name === "umask") numbers.umask = number(name, value, 8);
    else if (value !== undefined && (name === "attr_timeout" || name === "entry_timeout"))
      numbers.validFor = number(name, value.split(".")[0] ?? "", 10);
    else if (value !== undefined && name === "fsname") names.source = value;
    else if (value !== undefined && name === "subtype") names.subtype = value;
    else if (!ignored.has(option)) throw new RangeError(`${option}: there is no such option`);
  }
  // Without it, whoever may enter the folder could do all that the daemon may.
  if (kernel.includes("allow_other")) kernel.push("default_permissions");
  return { kernel: [...new Set(kernel)], readOnly: kernel.includes("ro"), ...numbers, ...names };
}
