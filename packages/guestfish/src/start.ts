import type { Guestfs } from "guestfs";
import { parseDriveSource } from "./drive-uri.ts";
import { parseKeySelector } from "./keys.ts";
import { readSize } from "./new-image.ts";
import type { Invocation, MountOption } from "./options.ts";
import { writeError } from "./output.ts";
import { choosePreparedDisk } from "./prepared-disk.ts";
import { ShellError } from "./shell-error.ts";
import type { Shell } from "./shell.ts";
import { strerror } from "./strerror.ts";

/** Does what the options ask for before the first command: attach disks, start the appliance, inspect, mount. */
export async function start(shell: Shell): Promise<void> {
  const { options } = shell;
  // Whatever is wrong with the command line is found before a disk is made or attached.
  options.keys.forEach(parseKeySelector);
  const prepared = options.drives.map((drive) => (drive.kind === "new" ? choosePreparedDisk(drive) : undefined));
  const launches = options.mounts.length > 0 || options.inspector || prepared.some((disk) => disk !== undefined);
  if (options.drives.length === 0 && !launches) return;

  const handle = await shell.handle();
  const fills: ((handle: Guestfs) => Promise<void>)[] = [];
  let index = 0;
  for (const [position, drive] of options.drives.entries()) {
    if (drive.kind === "domain") {
      throw new ShellError("guestfish: -d: libvirt guests can't be attached yet: give their disks with -a");
    } else if (drive.kind === "add") {
      await addDrive(handle, drive, options.readOnly);
    } else {
      const { disk, values } = prepared[position]!;
      await handle.diskCreate(drive.file, "raw", readSize(values["size"]!), { preallocation: "sparse" });
      await handle.addDrive(drive.file, { format: "raw" });
      const device = deviceName(index);
      if (disk.fill !== undefined) {
        fills.push(async (launched) => {
          try {
            await disk.fill?.(launched, device, values);
          } catch (error) {
            throw new ShellError(`guestfish: -N ${drive.type}: ${drive.file}: ${(error as Error).message}`, {
              cause: error,
            });
          }
        });
      }
    }
    index++;
  }
  if (!launches) return;

  await shell.interruptible(async (signal) => {
    await handle.launch({ signal });
    for (const fill of fills) await fill(handle);
    if (options.inspector) {
      const { inspectAndMount } = await import("./inspect.ts");
      await inspectAndMount(handle, options);
    }
    for (const mount of options.mounts) await mountOption(handle, mount, options, signal);
  });
}

async function addDrive(
  handle: Guestfs,
  drive: { source: string; format?: string; blocksize?: number },
  readOnly: boolean,
): Promise<void> {
  const { filename, ...remote } = parseDriveSource(drive.source);
  if (remote.protocol === undefined) {
    const { access } = await import("node:fs/promises");
    await access(filename).catch((error: unknown) => {
      throw new ShellError(`guestfish: -a ${filename}: ${strerror(error)}`, { cause: error });
    });
  }
  const { format, blocksize } = drive;
  await handle.addDrive(filename, {
    ...remote,
    ...(readOnly && { readonly: true }),
    ...(format !== undefined && { format }),
    ...(blocksize !== undefined && { blocksize }),
  });
}

async function mountOption(
  handle: Guestfs,
  mount: MountOption,
  { readOnly }: Invocation,
  signal: AbortSignal,
): Promise<void> {
  const options = mount.options ?? (readOnly ? "ro" : "");
  try {
    if (mount.fstype === undefined) await handle.mountOptions(options, mount.mountable, mount.mountpoint, { signal });
    else await handle.mountVfs(options, mount.fstype, mount.mountable, mount.mountpoint, { signal });
  } catch (error) {
    if (!signal.aborted) await tellFilesystems(handle, mount);
    throw error;
  }
}

/** A name that is not there is the usual mistake, so say which ones are. */
async function tellFilesystems(handle: Guestfs, mount: MountOption): Promise<void> {
  const found = await handle.listFilesystems().catch(() => undefined);
  if (found === undefined) return;
  const lines = Object.entries(found).map(([device, type]) => `guestfish:   ${device} (${type})\n`);
  writeError(
    `guestfish: ${mount.mountable} could not be mounted on ${mount.mountpoint}. ${lines.length === 0 ? "The disks have no file system.\n" : `The disks have:\n${lines.join("")}`}`,
  );
}

/** `/dev/sda`, ... `/dev/sdz`, `/dev/sdaa`, ... */
export function deviceName(index: number): string {
  const letters = (number: number): string =>
    (number < 26 ? "" : letters(Math.floor(number / 26) - 1)) + String.fromCharCode(0x61 + (number % 26));
  return `/dev/sd${letters(index)}`;
}
