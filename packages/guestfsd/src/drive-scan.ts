import { closeSync, constants, existsSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { writeAtStart } from "./native/machine-state.ts";
import { Uevents } from "./native/uevent.ts";
import { diskOf, SlotDisk } from "./slot-disk.ts";

const controllers = "/sys/class/scsi_host";
const devices = "/sys/bus/scsi/devices";

/** The appliance's SCSI controller, on which drives are added and removed while the machine runs. */
export class DriveScanner {
  readonly #host: string;
  readonly #scan: number;

  /** @throws Error when there is no controller */
  constructor() {
    const [name] = readdirSync(controllers).toSorted();
    if (name === undefined) throw new Error("the appliance has no SCSI controller");
    this.#host = name.slice("host".length);
    this.#scan = openSync(`${controllers}/${name}/scan`, "w");
  }

  /**
   * Looks at SCSI targets where drives were added and waits until the kernel has made disks of them, with their partitions.
   * @param timeout - how long to wait for the next of them, in milliseconds
   * @returns the targets of which no disk came
   */
  add(targets: readonly number[], timeout: number): number[] {
    const waiting = new Set(targets);
    const events = new Uevents();
    try {
      for (const target of targets) {
        writeAtStart(this.#scan, Buffer.from(`0 ${target} 0`, "latin1"));
        this.#take(events, waiting, 0);
      }
      while (waiting.size > 0 && this.#take(events, waiting, timeout));
    } finally {
      events.close();
    }
    return [...waiting];
  }

  /**
   * The disk that a target has, at which one can look anew.
   * @param timeout - how long to wait for it, in milliseconds
   * @throws Error when there is none
   */
  slot(target: number, timeout: number): SlotDisk {
    return new SlotDisk(this.#folder(target), timeout);
  }

  /** @throws SystemError EBUSY when the drive, or a partition of it, is mounted or otherwise in use */
  requireUnused(target: number): void {
    const folder = `${this.#folder(target)}/block`;
    if (!existsSync(folder)) return;
    for (const drive of readdirSync(folder)) {
      const parts = readdirSync(`${folder}/${drive}`).filter((name) => name.startsWith(drive));
      // Exclusive: the kernel refuses it to a device that someone holds, and to a drive of whose partitions one is held.
      for (const name of [drive, ...parts]) closeSync(openSync(`/dev/${name}`, constants.O_RDONLY | constants.O_EXCL));
    }
  }

  /** Makes the kernel forget the drive at a target; nothing happens when there is none. */
  remove(target: number): void {
    const path = `${this.#folder(target)}/delete`;
    if (existsSync(path)) writeFileSync(path, "1");
  }

  close(): void {
    closeSync(this.#scan);
  }

  #folder(target: number): string {
    return `${devices}/${this.#host}:0:${target}:0`;
  }

  /** Takes what the kernel has told; returns whether there was something. */
  #take(events: Uevents, waiting: Set<number>, patience: number): boolean {
    let told = false;
    for (;;) {
      const event = events.next(told ? 0 : patience);
      if (event === undefined) return told;
      told = true;
      // Some were lost: see for ourselves.
      if (event === "")
        for (const target of waiting) if (diskOf(this.#folder(target)) !== undefined) waiting.delete(target);
      const target = targetOf(event);
      if (target !== undefined) waiting.delete(target);
    }
  }
}

/** The target whose disk an event announces. That comes when its partitions have been read; a partition's path is longer by one part. */
export function targetOf(event: string): number | undefined {
  if (!event.startsWith("add@")) return undefined;
  const parts = event.split("/");
  const at = parts.indexOf("block");
  if (at < 1 || at !== parts.length - 2) return undefined;
  const target = Number(parts[at - 1]?.split(":")[2] ?? "x");
  return Number.isInteger(target) ? target : undefined;
}
