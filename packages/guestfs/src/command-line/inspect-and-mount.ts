import { CommandLineError } from "./command-line-error.ts";
import type { CommandLineHandle } from "./handle.ts";
import { parseKeySelector, passphraseOf, selectorsFor } from "./key-selector.ts";
import type { KeySelector } from "./key-selector.ts";

/** What finding and mounting an operating system needs. */
export interface InspectOptions {
  readonly readOnly: boolean;
  /** Values of `--key`. */
  readonly keys: readonly string[];
  /** Asks for the passphrase of a device when no key is given for it. */
  askKey(device: string): Promise<string>;
  /** Says that something was left out. */
  warn(message: string): void;
}

/**
 * Finds the operating system on the disks and mounts its file systems where it would mount them itself.
 * @returns the device or mountable of its `/`
 * @throws CommandLineError when there is none, or more than one
 */
export async function inspectAndMount(handle: CommandLineHandle, options: InspectOptions): Promise<string> {
  await openEncrypted(handle, options);
  const roots = await handle.inspectOs();
  const [root] = roots;
  if (root === undefined) {
    throw new CommandLineError(
      "-i: no operating system was found on the disks\nWithout -i, `guestfish -a DISK run : list-filesystems` shows what there is, and -m mounts it.",
    );
  }
  if (roots.length > 1) {
    throw new CommandLineError(
      `-i: more than one operating system was found: ${roots.join(", ")}\nMount the file systems of the one you mean with -m instead.`,
    );
  }
  const mounts = Object.entries(await handle.inspectGetMountpoints(root)).sort(
    ([left], [right]) => left.length - right.length,
  );
  for (const [mountpoint, mountable] of mounts) {
    try {
      await handle.mountOptions(options.readOnly ? "ro" : "", mountable, mountpoint);
    } catch (error) {
      // A broken /home does not keep anyone from looking at the rest.
      if (mountpoint === "/") throw error;
      options.warn(`-i: ${mountpoint} is left out: ${(error as Error).message}`);
    }
  }
  return root;
}

/** Opens encrypted devices with the keys given, or asks for them; then those on logical volumes, which may be on what was opened. */
async function openEncrypted(handle: CommandLineHandle, options: InspectOptions): Promise<void> {
  const opened = await openThose(handle, options, [
    ...(await handle.listDevices()),
    ...(await handle.listPartitions()),
  ]);
  if (!(await handle.featureAvailable(["lvm2"]))) return;
  if (opened) await handle.lvmScan(true);
  await openThose(handle, options, await handle.lvs());
}

/** @returns whether one of the devices was encrypted */
async function openThose(
  handle: CommandLineHandle,
  options: InspectOptions,
  devices: readonly string[],
): Promise<boolean> {
  const encrypted: string[] = [];
  // An empty drive, or one that can't be read, has no type.
  for (const device of devices)
    if (["crypto_LUKS", "BitLocker"].includes(await handle.vfsType(device).catch(() => ""))) encrypted.push(device);
  const selectors = options.keys.map(parseKeySelector);
  for (const device of encrypted) {
    const uuid = await handle.vfsUuid(device).catch(() => "");
    const name = uuid === "" ? `crypt-${device.slice("/dev/".length).replaceAll("/", "-")}` : `luks-${uuid}`;
    await openDevice(handle, options, device, name, selectorsFor(selectors, device, uuid));
  }
  return encrypted.length > 0;
}

async function openDevice(
  handle: CommandLineHandle,
  options: InspectOptions,
  device: string,
  name: string,
  selectors: readonly KeySelector[],
): Promise<void> {
  const readonly = options.readOnly;
  for (const selector of selectors) {
    try {
      if (selector.kind === "clevis") await handle.clevisLuksUnlock(device, name);
      else await handle.cryptsetupOpen(device, await passphraseOf(selector), name, { readonly });
      return;
    } catch (error) {
      if (error instanceof CommandLineError) throw error;
    }
  }
  if (selectors.length > 0) throw new CommandLineError(`none of the keys given opens ${device}`);
  await handle.cryptsetupOpen(device, await options.askKey(device), name, { readonly });
}
