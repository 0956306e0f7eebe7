import type { Guestfs } from "guestfs";
import { readKey } from "./key-prompt.ts";
import { parseKeySelector, passphraseOf, selectorsFor } from "./keys.ts";
import type { Invocation } from "./options.ts";
import { writeError } from "./output.ts";
import { ShellError } from "./shell-error.ts";

/**
 * Finds the operating system on the disks and mounts its file systems where it would mount them itself.
 * Throws {@link ShellError} when there is none, or more than one.
 */
export async function inspectAndMount(handle: Guestfs, options: Invocation): Promise<void> {
  await openEncrypted(handle, options);
  const roots = await handle.inspectOs();
  const [root] = roots;
  if (root === undefined) {
    throw new ShellError(
      "guestfish: -i: no operating system was found on the disks\nWithout -i, 'run' and 'list-filesystems' show what there is, and 'mount' makes it accessible.",
    );
  }
  if (roots.length > 1) {
    throw new ShellError(
      `guestfish: -i: more than one operating system was found: ${roots.join(", ")}\nMount the file systems of the one you mean with -m instead.`,
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
      writeError(`guestfish: -i: ${mountpoint} is left out: ${(error as Error).message}\n`);
    }
  }
}

/** Opens encrypted file systems with the keys given, or asks for them. */
async function openEncrypted(handle: Guestfs, options: Invocation): Promise<void> {
  const found = Object.entries(await handle.listFilesystems());
  const encrypted = found
    .filter(([, type]) => type === "crypto_LUKS" || type === "BitLocker")
    .map(([device]) => device);
  if (encrypted.length === 0) return;
  const selectors = options.keys.map(parseKeySelector);
  for (const [index, device] of encrypted.entries()) {
    const uuid = await handle.vfsUuid(device).catch(() => "");
    const name = uuid === "" ? `crypt${index + 1}` : `luks-${uuid}`;
    await openDevice(handle, options, device, name, selectorsFor(selectors, device, uuid));
  }
  await handle.lvmScan(true);
}

async function openDevice(
  handle: Guestfs,
  options: Invocation,
  device: string,
  name: string,
  selectors: readonly ReturnType<typeof parseKeySelector>[],
): Promise<void> {
  const readonly = options.readOnly;
  for (const selector of selectors) {
    try {
      if (selector.kind === "clevis") await handle.clevisLuksUnlock(device, name);
      else await handle.cryptsetupOpen(device, await passphraseOf(selector), name, { readonly });
      return;
    } catch (error) {
      if (error instanceof ShellError) throw error;
    }
  }
  if (selectors.length > 0) throw new ShellError(`guestfish: none of the keys given opens ${device}`);
  await handle.cryptsetupOpen(device, await readKey(options, device), name, { readonly });
}
