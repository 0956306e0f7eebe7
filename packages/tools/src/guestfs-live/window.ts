import { chown, open, rm, stat } from "node:fs/promises";
import { domainWindowSize, windowSerial } from "guestfs/internal";
import type { DomainWindow } from "guestfs/internal";
import { ToolError } from "../tool-error.ts";
import { changeDevice, quoted } from "./domain.ts";
import type { Domain } from "./domain.ts";
import { lookUp } from "./found-domain.ts";
import type { FoundDomain } from "./found-domain.ts";

/**
 * The disk for windows as libvirt takes it (libvirt: formatdomain, "Hard drives"): the machine reads it only, snapshots pass
 * over it, and its name is far from those that the next disks get.
 */
export function windowXml({ path, target }: DomainWindow): string {
  return `<disk type='file' device='disk' snapshot='no'><driver name='qemu' type='raw'/><source file='${quoted(path)}'/><target dev='${quoted(target)}' bus='virtio'/><readonly/><serial>${windowSerial}</serial></disk>\n`;
}

/** In memory, for who made it and the machine's QEMU alone. */
async function makeFile(path: string, channel: string | undefined): Promise<void> {
  // What an earlier run of the machine had; its QEMU is gone.
  await rm(path, { force: true });
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(domainWindowSize);
  } finally {
    await file.close();
  }
  if (channel === undefined || process.geteuid?.() !== 0) return;
  // Where libvirt itself does not give the file to its QEMU: that one made the channel's socket.
  const { uid, gid } = await stat(channel);
  await chown(path, uid, gid);
}

/**
 * Gives a domain that runs its window, until it ends.
 * @param found - with a channel
 */
export async function addWindow(domain: Domain, found: FoundDomain): Promise<void> {
  const path = `/dev/shm/guestfs-window-${found.uuid}`;
  const letters = [..."zyxwvutsrqponmlkjihgfedcb"];
  const target = letters.map((letter) => `vd${letter}`).find((name) => !found.targets.includes(name));
  if (target === undefined) throw new ToolError(`${domain.name} has a disk for each letter already`);
  await makeFile(path, found.live.find((channel) => channel.path !== undefined)?.path);
  try {
    const xml = windowXml({ path, target });
    await changeDevice(domain, found.uuid, { verb: "attach-device", xml, when: "live" });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Takes the window away from a domain that runs. */
export async function removeWindow(domain: Domain, uuid: string, window: DomainWindow): Promise<void> {
  await changeDevice(domain, uuid, { verb: "detach-device", xml: windowXml(window), when: "live" });
  if ((await lookUp(domain)).window !== undefined)
    throw new ToolError(`${domain.name} has not let go of its window yet; to see whether it has: guestfs-live status`);
  await rm(window.path, { force: true });
}
