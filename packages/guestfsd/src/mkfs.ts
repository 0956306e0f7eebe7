import { DaemonError } from "./daemon-error.ts";
import { programExists } from "./groups.ts";
import { wipeSignatures } from "./native/blkid.ts";
import { syncPartitions } from "./partition-sync.ts";
import { runTool } from "./tool.ts";

/** How a filesystem is to be made. */
export interface MkfsOptions {
  readonly blocksize?: number | undefined;
  readonly features?: string | undefined;
  readonly inode?: number | undefined;
  readonly sectorsize?: number | undefined;
  readonly label?: string | undefined;
}

/** How a filesystem's program is told what it must know. */
interface Maker {
  readonly argv: readonly string[];
  readonly block?: (size: number) => readonly string[];
  /** the option for the label, and how many bytes it may have */
  readonly label?: readonly [option: string, max: number];
  readonly inode?: (size: number) => readonly string[];
  readonly features?: string;
}

const fatSector = 512;
const fatClusterMax = 128;

function clusterSize(size: number): string[] {
  const sectors = size / fatSector;
  if (!Number.isInteger(sectors) || sectors < 1 || sectors > fatClusterMax)
    throw new DaemonError(
      `${size}: a cluster of FAT has 1 to ${fatClusterMax} sectors of ${fatSector} bytes`,
      "EINVAL",
    );
  return ["-s", String(sectors)];
}

const dashB = (size: number): string[] => ["-b", String(size)];
const ext: Omit<Maker, "argv"> = {
  block: dashB,
  label: ["-L", 16],
  inode: (size) => ["-I", String(size)],
  features: "-O",
};
const fat: Maker = { argv: ["mkfs.fat", "-I"], block: clusterSize, label: ["-n", 11] };

const makers: Readonly<Record<string, Maker>> = {
  ext2: { argv: ["mke2fs", "-q", "-F", "-t", "ext2"], ...ext },
  ext3: { argv: ["mke2fs", "-q", "-F", "-t", "ext3"], ...ext },
  ext4: { argv: ["mke2fs", "-q", "-F", "-t", "ext4"], ...ext },
  ext4dev: { argv: ["mke2fs", "-q", "-F", "-t", "ext4dev"], ...ext },
  vfat: fat,
  fat,
  msdos: fat,
  ntfs: { argv: ["mkntfs", "-q", "-Q", "-F"], block: (size) => ["-c", String(size)], label: ["-L", 128] },
  xfs: {
    argv: ["mkfs.xfs", "-q", "-f"],
    block: (size) => ["-b", `size=${size}`],
    label: ["-L", 12],
    inode: (size) => ["-i", `size=${size}`],
  },
  btrfs: { argv: ["mkfs.btrfs", "-q", "-f"], label: ["-L", 255], features: "-O" },
  f2fs: { argv: ["mkfs.f2fs", "-q", "-f"], label: ["-l", 512], features: "-O" },
  jfs: { argv: ["mkfs.jfs", "-q"], label: ["-L", 16] },
  nilfs2: { argv: ["mkfs.nilfs2", "-q", "-f"], block: dashB, label: ["-L", 80] },
  reiserfs: { argv: ["mkfs.reiserfs", "-q", "-ff"], block: dashB, label: ["-l", 16] },
  hfs: { argv: ["mkfs.hfs", "-h"], block: dashB, label: ["-v", 27] },
  hfsplus: { argv: ["mkfs.hfsplus"], block: dashB, label: ["-v", 255] },
  exfat: { argv: ["mkfs.exfat"], block: (size) => ["-c", String(size)], label: ["-L", 11] },
  gfs: { argv: ["mkfs.gfs", "-O", "-p", "lock_nolock"], block: dashB },
  gfs2: { argv: ["mkfs.gfs2", "-O", "-p", "lock_nolock"], block: dashB },
  ufs: { argv: ["mkfs.ufs"], block: dashB, label: ["-L", 32] },
  minix: { argv: ["mkfs.minix"] },
  cramfs: { argv: ["mkfs.cramfs"] },
  swap: { argv: ["mkswap", "-f"], label: ["-L", 15] },
};

function makerOf(fstype: string): Maker {
  const known = Object.hasOwn(makers, fstype) ? makers[fstype] : undefined;
  if (known) return known;
  if (!/^\w[\w.-]*$/.test(fstype)) throw new DaemonError(`${fstype}: no type of filesystem`, "EINVAL");
  return { argv: [`mkfs.${fstype}`], block: dashB };
}

function checkLabel(fstype: string, maker: Maker, label: string): readonly string[] {
  if (!maker.label) throw new DaemonError(`${fstype}: how such a filesystem gets a label is not known`, "EINVAL");
  const [option, max] = maker.label;
  if (Buffer.byteLength(label) > max)
    throw new DaemonError(`${label}: a label of ${fstype} has at most ${max} bytes`, "EINVAL");
  return [option, label];
}

function optionsOf(fstype: string, maker: Maker, options: MkfsOptions): string[] {
  const { blocksize, features, inode, sectorsize, label } = options;
  const argv: string[] = [];
  if (blocksize !== undefined) {
    const isPower = blocksize > 0 && (blocksize & (blocksize - 1)) === 0;
    if (!isPower) throw new DaemonError(`${blocksize}: a block size must be a power of 2`, "EINVAL");
    if (fstype === "btrfs")
      throw new DaemonError("the block size of btrfs can't be set here: use mkfs_btrfs", "EINVAL");
    if (maker.block) argv.push(...maker.block(blocksize));
  }
  if (features !== undefined) {
    if (!maker.features) throw new DaemonError(`${fstype}: it has no features to choose`, "EINVAL");
    argv.push(maker.features, features);
  }
  if (inode !== undefined) {
    if (!maker.inode) throw new DaemonError(`${fstype}: the size of inodes can't be set`, "EINVAL");
    if (inode <= 0) throw new DaemonError(`${inode}: the size of inodes must be more than 0`, "EINVAL");
    argv.push(...maker.inode(inode));
  }
  if (sectorsize !== undefined) {
    if (fstype !== "ufs") throw new DaemonError(`${fstype}: the size of sectors can only be set on ufs`, "EINVAL");
    if (sectorsize <= 0) throw new DaemonError(`${sectorsize}: the size of sectors must be more than 0`, "EINVAL");
    argv.push("-S", String(sectorsize));
  }
  if (label !== undefined) argv.push(...checkLabel(fstype, maker, label));
  return argv;
}

/** Clears what was on a device, so that no old signature shows through the new filesystem. */
export function wipeForNew(device: string): void {
  try {
    wipeSignatures(device, true);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EBUSY")
      throw new DaemonError(`${device}: it is in use, so no filesystem is made on it`, code, { cause: error });
    throw error;
  }
}

/** Makes a filesystem. */
export function makeFileSystem(fstype: string, device: string, options: MkfsOptions, pulse: () => void): void {
  const maker = makerOf(fstype);
  const argv = [...maker.argv, ...optionsOf(fstype, maker, options)];
  const program = maker.argv[0] ?? "";
  if (!programExists(program))
    throw new DaemonError(`${fstype}: the program that makes it, ${program}, is not there`, "ENOTSUP");
  wipeForNew(device);
  // mkntfs(8) has no way to end its options.
  runTool([...argv, ...(fstype === "ntfs" ? [] : ["--"]), device], { pulse });
  syncPartitions(device);
}
