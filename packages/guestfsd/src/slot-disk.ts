import { constants, openSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { deviceNumber } from "./block-device.ts";
import { rereadPartitions } from "./native/block.ts";
import { closeDescriptor } from "./native/descriptor.ts";
import { openExisting } from "./native/file.ts";
import { writeAtStart } from "./native/machine-state.ts";
import { pause } from "./partition-sync.ts";

const diskPoll = 5;
/** KiB; the kernel's own is 128. Under TCG a request costs as much as moving some hundred KiB. */
const readAhead = 1024;
const yes = Buffer.from("1");

/** The kernel's name of the disk of a SCSI device, given by its folder in sysfs; `undefined` while there is none. */
export function diskOf(folder: string): string | undefined {
  try {
    return readdirSync(`${folder}/block`)[0];
  } catch {
    return undefined;
  }
}

/** The disk that a template has, in which clones get their first drive. What they need of it is looked up before it is saved. */
export class SlotDisk {
  readonly #name: string;
  readonly #rescan: number;

  /**
   * @param folder - of the SCSI device in sysfs
   * @param timeout - how long to wait for it, in milliseconds
   * @throws Error when there is none
   */
  constructor(folder: string, timeout: number) {
    let name = diskOf(folder);
    for (let waited = 0; name === undefined && waited < timeout; waited += diskPoll) {
      pause(diskPoll);
      name = diskOf(folder);
    }
    if (name === undefined) throw new Error(`${folder}: no disk`);
    this.#name = name;
    this.#rescan = openSync(`${folder}/rescan`, "w");
  }

  /** Looks anew at it, which has got something else in it, and at its partitions. */
  refresh(): void {
    writeAtStart(this.#rescan, yes);
    const fd = openExisting(`/dev/${this.#name}`, constants.O_RDONLY);
    try {
      rereadPartitions(fd);
    } catch (error) {
      // A table that can't be read is no table, as with a disk that is new.
      if ((error as NodeJS.ErrnoException).code === "EBUSY") throw error;
    } finally {
      closeDescriptor(fd);
    }
  }

  /**
   * Has the kernel drop what it remembers of a partition that the disk had: it does so when the name is looked up the next time, which
   * would be in each clone.
   */
  forgetPartition(number: number): void {
    const name = `${this.#name}${number}`;
    const device = deviceNumber(statSync(`/dev/${this.#name}`).rdev + number);
    for (const path of [
      `/sys/dev/block/${device}`,
      `/sys/class/block/${name}`,
      `/sys/block/${this.#name}/${name}`,
      `/dev/${name}`,
    ])
      statSync(path, { throwIfNoEntry: false });
  }

  /** Has the kernel read ahead further at it, and hand requests over as they come: to order them is the host's business. */
  favourBulk(): void {
    writeFileSync(`/sys/block/${this.#name}/queue/scheduler`, "none");
    writeFileSync(`/sys/block/${this.#name}/queue/read_ahead_kb`, String(readAhead));
  }
}
