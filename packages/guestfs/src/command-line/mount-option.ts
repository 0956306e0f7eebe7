import type { CommandLineHandle } from "./handle.ts";

/** A file system to mount: the argument of `-m`. */
export interface MountOption {
  readonly mountable: string;
  readonly mountpoint: string;
  /** Absent: the empty string, or `ro` with `--ro`. */
  readonly options?: string;
  readonly fstype?: string;
}

/** Reads `dev[:mountpoint[:options[:fstype]]]`, where `dev` may be a `btrfsvol:` mountable with a colon of its own. */
export function parseMount(value: string): MountOption {
  const prefix = value.startsWith("btrfsvol:") ? "btrfsvol:" : "";
  const [device = "", mountpoint, options, ...rest] = value.slice(prefix.length).split(":");
  const fstype = rest.length === 0 ? undefined : rest.join(":");
  return {
    mountable: prefix + device,
    mountpoint: mountpoint === undefined || mountpoint === "" ? "/" : mountpoint,
    ...(options !== undefined && { options }),
    ...(fstype !== undefined && { fstype }),
  };
}

/** What mounting needs. */
export interface MountContext {
  readonly readOnly: boolean;
  readonly signal?: AbortSignal;
  warn(message: string): void;
}

/** Mounts a file system; when that fails, says which ones there are. */
export async function mountOption(handle: CommandLineHandle, mount: MountOption, context: MountContext): Promise<void> {
  const { readOnly, signal } = context;
  const options = mount.options ?? (readOnly ? "ro" : "");
  try {
    if (mount.fstype === undefined) await handle.mountOptions(options, mount.mountable, mount.mountpoint, { signal });
    else await handle.mountVfs(options, mount.fstype, mount.mountable, mount.mountpoint, { signal });
  } catch (error) {
    if (signal?.aborted !== true) await tellFilesystems(handle, mount, context);
    throw error;
  }
}

/** A name that is not there is the usual mistake, so say which ones are. */
async function tellFilesystems(handle: CommandLineHandle, mount: MountOption, context: MountContext): Promise<void> {
  const found = await handle.listFilesystems().catch(() => undefined);
  if (found === undefined) return;
  const lines = Object.entries(found).map(([device, type]) => `  ${device} (${type})`);
  const what = `${mount.mountable} could not be mounted on ${mount.mountpoint}.`;
  if (lines.length === 0) context.warn(`${what} The disks have no file system.`);
  else [`${what} The disks have:`, ...lines].forEach((line) => context.warn(line));
}
