import type { MachineDescription, QmpClient } from "@guestfs/qemu";
import type { ApplianceDrive } from "./drive.ts";
import { diskId, scsiDisk } from "./scsi-disk.ts";

// A disk that the guest knows already takes a launch's first drive in less time than the guest needs to find a new one: the disk stays
// in the template, with nothing in it, and a launch exchanges what is in it. That a disk's `drive` may be set while it is there is said
// in QEMU's list of changes for 6.1.

/** The SCSI target of the disk. */
export const slotTarget = 0;

const empty = "empty";

/** What stands for no drive: the guest finds no partition in it. */
const nothing = { driver: "null-co", size: 65_536, "read-zeroes": true };

/** What the slot adds to a machine. */
export const slotParts: Pick<MachineDescription, "blockdevs" | "devices"> = {
  blockdevs: [{ ...nothing, "node-name": empty }],
  devices: [scsiDisk(slotTarget, empty)],
};

/** Whether a drive can be in the disk: what a label and a block size change is fixed when a disk is made. */
export function fitsSlot({ label, blocksize = 512 }: ApplianceDrive): boolean {
  return label === undefined && blocksize === 512;
}

/** Puts a node in the disk; the guest has to be told. @throws QmpError */
export async function fillSlot(qmp: QmpClient, node: string): Promise<void> {
  await qmp.execute("qom-set", { path: `/machine/peripheral/${diskId(slotTarget)}`, property: "drive", value: node });
}

/** Takes out what is in the disk; the guest has to be told. @throws QmpError */
export const clearSlot = (qmp: QmpClient): Promise<void> => fillSlot(qmp, empty);

/** Adds another disk with nothing in it, as a drive at that target. @throws QmpError */
export async function addEmptyDisk(qmp: QmpClient, target: number): Promise<void> {
  const node = `image${target}`;
  await qmp.execute("blockdev-add", { ...nothing, "node-name": node });
  await qmp.execute("device_add", scsiDisk(target, node));
}
