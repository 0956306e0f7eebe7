import type { MachineDescription } from "@guestfs/qemu";

type Device = MachineDescription["devices"][number];

/** The disk of a drive, as `device_add` and the command line take it; the machine has the SCSI controller `scsi0`. */
export function scsiDisk(target: number, node: string): Device {
  return {
    driver: "scsi-hd",
    id: diskId(target),
    bus: "scsi0.0",
    channel: 0,
    "scsi-id": target,
    lun: 0,
    drive: node,
    // QEMU would otherwise stop the whole guest when the host's disk is full, and every call would hang.
    werror: "report",
    rerror: "report",
  };
}

/** QEMU's name of a disk. */
export const diskId = (target: number): string => `drive${target}`;
