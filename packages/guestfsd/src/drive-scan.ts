import { closeSync, constants, existsSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { drivesChanged } from "./device.ts";
import { writeAtStart } from "./native/machine-state.ts";
import { SlotDisk } from "./slot-disk.ts";

const controllers = "/sys/class/scsi_host";
const bus = "/sys/bus/scsi";
const devices = `${bus}/devices`;

/** The appliance's SCSI controller, on which drives are added and removed while the machine runs. */
export class DriveScanner {
  readonly #host: string;
  readonly #scan: number;
  readonly #bind: number;
  #kernelBinds = true;

  /** @throws Error when there is no controller */
  constructor() {
    const [name] = readdirSync(controllers).toSorted();
    if (name === undefined) throw new Error("the appliance has no SCSI controller");
    this.#host = name.slice("host".length);
    this.#scan = openSync(`${controllers}/${name}/scan`, "w");
    this.#bind = openSync(`${bus}/drivers/sd/bind`, "w");
  }

  /**
   * Looks at SCSI targets where drives were added: the kernel has made disks of them, with their partitions, when this returns.
   * @returns the targets of which no disk came
   */
  add(targets: readonly number[]): number[] {
    // By itself the driver would begin in the background, and only the kernel's events would tell of the end.
    if (this.#kernelBinds) writeFileSync(`${bus}/drivers_autoprobe`, "0");
    this.#kernelBinds = false;
    const missing = targets.filter((target) => !this.#addOne(target));
    drivesChanged();
    return missing;
  }

  #addOne(target: number): boolean {
    writeAtStart(this.#scan, Buffer.from(`0 ${target} 0`, "latin1"));
    try {
      writeAtStart(this.#bind, Buffer.from(`${this.#host}:0:${target}:0`, "latin1"));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENODEV" && code !== "EBUSY") throw error;
      // Busy: it has its driver already.
      return code === "EBUSY";
    }
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
    drivesChanged();
  }

  close(): void {
    closeSync(this.#scan);
    closeSync(this.#bind);
  }

  #folder(target: number): string {
    return `${devices}/${this.#host}:0:${target}:0`;
  }
}
