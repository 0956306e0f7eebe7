import { access } from "node:fs/promises";
import { CommandLineError } from "./command-line-error.ts";
import { parseDriveSource } from "./drive-source.ts";
import type { CommandLineHandle } from "./handle.ts";
import { strerror } from "./strerror.ts";

/** A disk image, or a machine of libvirt's: the arguments of `-a` and `-d`. */
export type AttachOption =
  | { readonly kind: "add"; readonly source: string; readonly format?: string; readonly blocksize?: number }
  | { readonly kind: "domain"; readonly domain: string };

/** What holds for all of them. */
export interface AttachContext {
  readonly readOnly: boolean;
  /** Running machines are to be reached inside. */
  readonly live: boolean;
  /** Connection of libvirt's. */
  readonly connect?: string;
  readonly signal?: AbortSignal;
}

/**
 * Adds what an option names.
 * @returns how many drives that were; `"live"` when it is a machine that runs and was to be reached inside
 */
export async function addOption(
  handle: CommandLineHandle,
  option: AttachOption,
  context: AttachContext,
): Promise<number | "live"> {
  const { readOnly, live, connect, signal } = context;
  if (option.kind === "add") {
    await addImage(handle, option, readOnly);
    return 1;
  }
  const added = await handle.addDomain(option.domain, {
    allowuuid: true,
    readonlydisk: "read",
    signal,
    ...(connect !== undefined && { libvirturi: connect }),
    ...(readOnly && { readonly: true }),
    ...(live && { live }),
  });
  return live && added === 0 && handle.getBackend().startsWith("unix:") ? "live" : added;
}

async function addImage(
  handle: CommandLineHandle,
  { source, format, blocksize }: AttachOption & { kind: "add" },
  readOnly: boolean,
): Promise<void> {
  const { filename, ...remote } = parseDriveSource(source);
  if (remote.protocol === undefined) {
    await access(filename).catch((error: unknown) => {
      throw new CommandLineError(`-a ${filename}: ${strerror(error)}`, { cause: error });
    });
  }
  await handle.addDrive(filename, {
    ...remote,
    ...(readOnly && { readonly: true }),
    ...(format !== undefined && { format }),
    ...(blocksize !== undefined && { blocksize }),
  });
}

/**
 * Checks that `--live` goes together with the other options.
 * @throws CommandLineError
 */
export function checkLive(options: {
  live: boolean;
  drives: readonly { kind: string }[];
  mounts: readonly unknown[];
}): void {
  if (!options.live) return;
  const [only, ...others] = options.drives;
  if (only?.kind !== "domain" || others.length > 0)
    throw new CommandLineError("--live needs exactly one -d, the machine, and no disks (-a, -N)");
  if (options.mounts.length > 0)
    throw new CommandLineError("--live and -m exclude each other: what the machine has mounted is there already");
}
