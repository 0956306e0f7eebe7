/** How a drive's image is reached: a local file, or one of the network protocols QEMU speaks. */
export type DriveProtocol = "file" | "nbd" | "ssh" | "http" | "https" | "ftp" | "ftps" | "iscsi" | "rbd" | "gluster";

/**
 * One disk to attach, with the options of libguestfs's `add_drive` (guestfs(3)).
 *
 * Drives become `/dev/sda`, `/dev/sdb`, ... in the order of the array: drive i is SCSI target i, LUN 0, of the appliance's
 * only SCSI controller.
 */
export interface ApplianceDrive {
  /** Path of the image or block device on the host; for a network protocol, the export name or the path on the server. */
  filename: string;
  /** `true`: the image's bytes never change; writes in the guest succeed, go to a private overlay, and are thrown away. Default `false`. */
  readonly?: boolean;
  /** Image format as QEMU names it (`raw`, `qcow2`, `vmdk`, `vdi`, `vhdx`, `vpc`, ...). Left out: read from the image's header by us, `raw` when nothing is recognised. */
  format?: string;
  /** Accepted for compatibility and ignored, as in libguestfs: every drive is a virtio-scsi disk. */
  iface?: string;
  /** A name for the drive in inspection. Has no effect on the appliance. */
  name?: string;
  /** Serial number of the disk as the guest sees it, 1 to 20 of `[A-Za-z0-9_.-]`; the daemon makes `/dev/disk/guestfs/LABEL` from it. */
  label?: string;
  /** Default `"file"`. */
  protocol?: DriveProtocol;
  /** Servers of a network protocol, each `HOST`, `HOST:PORT`, `tcp:HOST:PORT` or `unix:/SOCKET`; one, except for rbd and gluster. */
  server?: readonly string[];
  /** User name at the server (ssh, http, https, ftp, ftps, rbd, iscsi). */
  username?: string;
  /** Password at the server (http, https, ftp, ftps, iscsi), or the base64 text of a Ceph key (rbd). It is never on a command line: QEMU gets it over QMP, nbdkit through a pipe. */
  secret?: string;
  /** `"writeback"` (default): a flush in the guest reaches the disk. `"unsafe"`: flushes are ignored; only for scratch disks. */
  cachemode?: "unsafe" | "writeback";
  /** `"disable"` (default): discards are ignored. `"besteffort"`: passed on where the image supports it. `"enable"`: as besteffort, but an error when the image surely can't. */
  discard?: "disable" | "enable" | "besteffort";
  /** `true`: blocks read from a backing or network image are kept in the overlay. Default `false`. */
  copyonread?: boolean;
  /** Logical and physical sector size the guest sees: 512 (default) or 4096. */
  blocksize?: 512 | 4096;
  /**
   * `true`: the image may name other files (qcow2 backing file or data file, vmdk extents, vhd/vdi/vhdx parent). `"recorded"`: an image may
   * whose format was given, or is recorded in the image over it; one whose format is found by its header may be what a guest has written.
   * Default `false`: such an image is refused.
   */
  allowOtherFiles?: boolean | "recorded";
}
