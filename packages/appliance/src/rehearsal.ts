import type { QmpClient } from "@guestfs/qemu";
import { attachDrives, detachDrive, prepareDrives, removeNodes } from "./attach-drives.ts";
import { sendIdentity, sendOrders } from "./clone-orders.ts";
import type { ApplianceDrive } from "./drive.ts";
import { addEmptyDisk, clearSlot, slotTarget } from "./drive-slot.ts";
import type { MachineProcess } from "./machine-process.ts";

const otherTarget = slotTarget + 1;

/**
 * Has a daemon that waits for orders do once what it does in clones: with a scratch disk, and with another disk that comes and goes. The
 * machine is without drives afterwards, and the daemon waits for orders again.
 *
 * @param purpose `compilation`: once more, and it has what is called often compiled
 *
 * @throws ApplianceError, QmpError, CloneError
 */
export async function rehearse(
  machine: MachineProcess,
  qmp: QmpClient,
  scratch: ApplianceDrive,
  tmpDir: string,
  purpose: "rehearsal" | "compilation" = "rehearsal",
): Promise<void> {
  const { channel } = machine;
  const drives = await prepareDrives([scratch]);
  await machine.wait(attachDrives(qmp, drives, tmpDir, { intoSlot: true }));
  await machine.wait(addEmptyDisk(qmp, otherTarget));
  sendIdentity(channel);
  await machine.wait(sendOrders(channel, { purpose, slotFilled: true, drives: [otherTarget] }));
  await machine.wait(detachDrive(qmp, otherTarget));
  await machine.wait(clearSlot(qmp));
  sendIdentity(channel);
  await machine.wait(sendOrders(channel, { purpose: "clearing", slotFilled: true, drives: [] }));
  await machine.wait(removeNodes(qmp, slotTarget));
}
