import type { Guestfs } from "guestfs";
import { addOption, checkLive, inspectAndMount, mountOption, parseKeySelector } from "guestfs/command-line";
import { readSize } from "./new-image.ts";
import { choosePreparedDisk } from "./prepared-disk.ts";
import { ShellError } from "./shell-error.ts";
import type { Shell } from "./shell.ts";

/** Does what the options ask for before the first command: attach disks, start the appliance, inspect, mount. */
export async function start(shell: Shell): Promise<void> {
  const { options } = shell;
  // Whatever is wrong with the command line is found before a disk is made or attached.
  checkLive(options);
  options.keys.forEach(parseKeySelector);
  const prepared = options.drives.map((drive) => (drive.kind === "new" ? choosePreparedDisk(drive) : undefined));
  const launches = options.mounts.length > 0 || options.inspector || prepared.some((disk) => disk !== undefined);
  if (options.drives.length === 0 && !launches) return;

  const handle = await shell.handle();
  const fills: ((handle: Guestfs) => Promise<void>)[] = [];
  let index = 0;
  let live = false;
  const warn = (message: string): void => shell.console.writeError(`guestfish: ${message}\n`);
  for (const [position, drive] of options.drives.entries()) {
    if (drive.kind !== "new") {
      const added = await shell.interruptible((signal) => addOption(handle, drive, { ...options, signal }));
      if (added === "live") live = true;
      else index += added;
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
      index++;
    }
  }
  if (!launches && !live) return;

  await shell.interruptible(async (signal) => {
    await handle.launch({ signal });
    for (const fill of fills) await fill(handle);
    // In a machine that runs, everything is mounted as it should be.
    if (options.inspector && !live)
      await inspectAndMount(handle, { ...options, warn, askKey: (device) => shell.console.askKey(device) });
    for (const mount of options.mounts) await mountOption(handle, mount, { ...options, warn, signal });
  });
}

/** `/dev/sda`, ... `/dev/sdz`, `/dev/sdaa`, ... */
export function deviceName(index: number): string {
  const letters = (number: number): string =>
    (number < 26 ? "" : letters(Math.floor(number / 26) - 1)) + String.fromCharCode(0x61 + (number % 26));
  return `/dev/sd${letters(index)}`;
}
