import type { Guestfs } from "guestfs";
import { readSize } from "./new-image.ts";
import type { DriveOption } from "./options.ts";
import { ShellError } from "./shell-error.ts";

/** A kind of disk that `-N` makes (guestfish(1), PREPARED DISK IMAGES). */
export interface PreparedDisk {
  readonly name: string;
  readonly summary: string;
  /** In the order in which they follow the name, with their defaults. */
  readonly parameters: readonly { readonly name: string; readonly default: string; readonly summary: string }[];
  /** What is done to the disk once the appliance runs. */
  fill?(handle: Guestfs, device: string, values: Readonly<Record<string, string>>): Promise<void>;
}

const size = { name: "size", default: "1G", summary: "size of the image" };
const partition = { name: "partition", default: "mbr", summary: "type of the partition table" };
const filesystem = { name: "filesystem", default: "ext2", summary: "type of the file system" };
const volume = { name: "name", default: "/dev/VG/LV", summary: "volume group and logical volume" };
const bootfs = { name: "bootfs", default: "ext2", summary: "type of the boot file system" };
const rootfs = { name: "rootfs", default: "ext2", summary: "type of the root file system" };
const bootsize = { name: "bootsize", default: "128M", summary: "size of the boot partition" };

/** Every kind, in the order of the help. */
export const preparedDisks: readonly PreparedDisk[] = [
  { name: "disk", summary: "an empty disk", parameters: [size] },
  {
    name: "part",
    summary: "a disk with one partition",
    parameters: [size, partition],
    fill: (handle, device, values) => handle.partDisk(device, values["partition"]!),
  },
  {
    name: "fs",
    summary: "a disk with a file system on one partition",
    parameters: [filesystem, size, partition],
    async fill(handle, device, values) {
      await handle.partDisk(device, values["partition"]!);
      await handle.mkfs(values["filesystem"]!, `${device}1`);
    },
  },
  {
    name: "lv",
    summary: "a disk with a logical volume",
    parameters: [volume, size, partition],
    async fill(handle, device, values) {
      await handle.partDisk(device, values["partition"]!);
      await makeVolume(handle, `${device}1`, values["name"]!);
    },
  },
  {
    name: "lvfs",
    summary: "a disk with a file system on a logical volume",
    parameters: [volume, filesystem, size, partition],
    async fill(handle, device, values) {
      await handle.partDisk(device, values["partition"]!);
      await makeVolume(handle, `${device}1`, values["name"]!);
      await handle.mkfs(values["filesystem"]!, values["name"]!);
    },
  },
  {
    name: "bootroot",
    summary: "a disk with a boot and a root file system",
    parameters: [bootfs, rootfs, size, bootsize, partition],
    async fill(handle, device, values) {
      await bootAndRest(handle, device, values);
      await handle.mkfs(values["bootfs"]!, `${device}1`);
      await handle.mkfs(values["rootfs"]!, `${device}2`);
    },
  },
  {
    name: "bootrootlv",
    summary: "a disk with a boot file system, and a root file system on a logical volume",
    parameters: [volume, bootfs, rootfs, size, bootsize, partition],
    async fill(handle, device, values) {
      await bootAndRest(handle, device, values);
      await makeVolume(handle, `${device}2`, values["name"]!);
      await handle.mkfs(values["bootfs"]!, `${device}1`);
      await handle.mkfs(values["rootfs"]!, values["name"]!);
    },
  },
];

/** The kind and the values that a `-N` option names; throws {@link ShellError}. */
export function choosePreparedDisk(option: DriveOption & { kind: "new" }): {
  disk: PreparedDisk;
  values: Record<string, string>;
} {
  const disk = preparedDisks.find(({ name }) => name === option.type);
  if (disk === undefined)
    throw new ShellError(
      `guestfish: -N ${option.type}: there is no such prepared disk; 'guestfish -N help' lists them`,
    );
  if (option.parameters.length > disk.parameters.length) {
    throw new ShellError(
      `guestfish: -N ${disk.name}: at most ${disk.parameters.length} parameters: ${disk.parameters.map(({ name }) => name).join(":")}`,
    );
  }
  const values: Record<string, string> = {};
  disk.parameters.forEach((parameter, index) => {
    values[parameter.name] = option.parameters[index] || parameter.default;
  });
  for (const name of ["size", "bootsize"]) if (values[name] !== undefined) readSize(values[name]);
  if (values["name"] !== undefined) splitVolume(values["name"]);
  return { disk, values };
}

/** What `-N help` prints. */
export function preparedDiskHelp(): string {
  const kinds = preparedDisks.map(({ name, summary, parameters }) => {
    const list = parameters.map(
      (parameter) => `    ${parameter.name.padEnd(11)} ${parameter.summary} (${parameter.default})`,
    );
    return `-N ${[name, ...parameters.map((parameter) => `<${parameter.name}>`)].join(":")}\n  ${summary}\n${list.join("\n")}\n`;
  });
  return `Disks that -N makes, with their parameters and defaults:\n\n${kinds.join("\n")}\nThe image is test1.img, test2.img and so on in the current directory, or NAME with -N NAME=TYPE.\n`;
}

function splitVolume(name: string): [string, string] {
  const match = /^\/dev\/([^/]+)\/([^/]+)$/.exec(name);
  if (match === null) throw new ShellError(`guestfish: -N: '${name}' is no volume name such as /dev/VG/LV`);
  return [match[1]!, match[2]!];
}

async function makeVolume(handle: Guestfs, device: string, name: string): Promise<void> {
  const [group, logical] = splitVolume(name);
  await handle.pvcreate(device);
  await handle.vgcreate(group, [device]);
  await handle.lvcreateFree(logical, group, 100);
}

async function bootAndRest(handle: Guestfs, device: string, values: Readonly<Record<string, string>>): Promise<void> {
  const sector = BigInt(await handle.blockdevGetss(device));
  // From one mebibyte on, and as much left at the end, which holds the second copy of a GPT.
  const start = (1024n * 1024n) / sector;
  const end = start + readSize(values["bootsize"]!) / sector;
  await handle.partInit(device, values["partition"]!);
  await handle.partAdd(device, "p", start, end - 1n);
  await handle.partAdd(device, "p", end, -start);
}
