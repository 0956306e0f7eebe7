import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { Uevents } from "./native/uevent.ts";

const controllers = "/sys/class/scsi_host";
const devices = "/sys/bus/scsi/devices";

function controller(): string {
  const [name] = readdirSync(controllers).toSorted();
  if (name === undefined) throw new Error("the appliance has no SCSI controller");
  return name;
}

const addressOf = (host: string, target: number): string => `${host.slice("host".length)}:0:${target}:0`;

function isComplete(address: string): boolean {
  try {
    return readdirSync(`${devices}/${address}/block`).length > 0;
  } catch {
    return false;
  }
}

/**
 * Looks at SCSI targets where drives were added and waits until the kernel has made disks of them, with their partitions.
 * @param timeout - how long that may take for one drive, in milliseconds
 * @returns the targets of which no disk came
 */
export function addDrives(targets: readonly number[], timeout: number): number[] {
  if (targets.length === 0) return [];
  const host = controller();
  const events = new Uevents();
  const waiting = new Map(targets.map((target) => [`/${addressOf(host, target)}/block/`, target]));
  const drain = (patience: number): boolean => {
    const event = events.next(patience);
    if (event === undefined) return false;
    // A disk is announced when its partitions have been read; a partition's path goes on after the disk's name.
    const match = /^add@.*(\/\d+:\d+:\d+:\d+\/block\/)[^/]+$/.exec(event);
    if (match !== null) waiting.delete(match[1] ?? "");
    if (event === "") {
      // Some events were lost: see for ourselves.
      for (const [path, target] of waiting) if (isComplete(addressOf(host, target))) waiting.delete(path);
    }
    return true;
  };
  try {
    for (const target of targets) {
      writeFileSync(`${controllers}/${host}/scan`, `0 ${target} 0`);
      while (drain(0));
    }
    while (waiting.size > 0 && drain(timeout));
    return [...waiting.values()];
  } finally {
    events.close();
  }
}

/** Makes the kernel forget the drive at a SCSI target; nothing happens when there is none. */
export function removeDrive(target: number): void {
  const path = `${devices}/${addressOf(controller(), target)}/delete`;
  if (existsSync(path)) writeFileSync(path, "1");
}
