import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder that the stock library takes for an appliance made beforehand (libguestfs-make-fixed-appliance(1)).
 * Nothing of it is ever run: the library only reads the UUID of the root's file system.
 */
export function writeFixedAppliance(folder: string): void {
  mkdirSync(folder);
  for (const name of ["README.fixed", "kernel", "initrd"]) writeFileSync(join(folder, name), "placeholder\n");
  // The superblock of an ext2 file system (ext2 documentation in the kernel: disk layout): magic and UUID.
  const root = Buffer.alloc(4096);
  root.writeUInt32LE(16, 0x400);
  root.writeUInt32LE(4, 0x404);
  root.writeUInt16LE(0xef53, 0x438);
  root.writeUInt32LE(1, 0x44c);
  root.fill(0x5a, 0x468, 0x478);
  writeFileSync(join(folder, "root"), root);
}
