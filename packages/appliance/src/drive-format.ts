import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { ImageHeaderError, readImageHeader } from "@guestfs/qemu";
import type { ImageHeader, ImageReference } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import type { ApplianceDrive } from "./drive.ts";

/** What a drive's image is, decided by us before QEMU sees it. */
export interface DriveFormat {
  /** Format as QEMU names it. */
  format: string;
  /** The image that lies behind, when the caller allows that; `null`: none, and QEMU is told so. */
  backing: { filename: string; format: DriveFormat; isBlockDevice: boolean } | null;
  /** Path of a qcow2 image's data file, when it has one and the caller allows it. */
  dataFile: string | undefined;
}

// QEMU has more, but these are disk images and name no host folders.
const formats = new Set([
  "raw",
  "qcow2",
  "qcow",
  "qed",
  "vmdk",
  "vdi",
  "vhdx",
  "vpc",
  "parallels",
  "luks",
  "dmg",
  "bochs",
  "cloop",
]);
const checkedFormats = new Set(["qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "parallels"]);
const withBacking = new Set(["qcow2", "qcow", "qed", "vmdk"]);
const MAX_CHAIN = 64;

const refusal = (filename: string, message: string, fix = "", cause?: unknown): ApplianceError =>
  new ApplianceError({ stage: "drive", message: `${filename}: ${message}`, fix, cause });

const printable = (name: string): string => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);

/**
 * Decides the format of a local drive (as given, else by its header; never by QEMU's probing) and which other files may come along.
 *
 * @throws ApplianceError of stage `drive`: unreadable, unknown format, not of the given format, a damaged header, or other files named
 * without being allowed
 */
export async function driveFormat(drive: ApplianceDrive): Promise<DriveFormat> {
  return imageFormat(drive.filename, drive.format, drive.allowOtherFiles ?? false, []);
}

async function imageFormat(
  filename: string,
  given: string | undefined,
  allowOthers: NonNullable<ApplianceDrive["allowOtherFiles"]>,
  chain: readonly string[],
): Promise<DriveFormat> {
  if (given !== undefined && !formats.has(given)) {
    throw refusal(filename, `the format ${given} is not known`, `use one of ${[...formats].join(", ")}`);
  }
  if (given === "raw") return { format: "raw", backing: null, dataFile: undefined };
  const header = await readHeader(filename);
  if (given !== undefined && checkedFormats.has(given) && header.format !== given) {
    throw refusal(filename, `this is not a ${given} image${header.format === "raw" ? "" : `, it is ${header.format}`}`);
  }
  const format = given ?? header.format;
  const references = header.format === format ? header.references : [];
  if (references.length === 0) return { format, backing: null, dataFile: undefined };
  if (allowOthers === false || (allowOthers === "recorded" && given === undefined)) throw namesOthers(filename, header);
  const real = await realpath(filename);
  if (chain.length >= MAX_CHAIN || chain.includes(real))
    throw refusal(filename, "its chain of backing files has no end");
  const backing = references.find(({ kind }) => kind === "backing");
  const data = references.find(({ kind }) => kind === "data");
  const dataFile = data === undefined ? undefined : resolveName(filename, data);
  if (dataFile !== undefined) await isDevice(dataFile);
  return {
    format,
    backing:
      backing === undefined ? null : await backingFormat(filename, format, backing, allowOthers, [...chain, real]),
    dataFile,
  };
}

async function readHeader(filename: string): Promise<ImageHeader> {
  try {
    return await readImageHeader(filename);
  } catch (error) {
    if (error instanceof ImageHeaderError) throw refusal(filename, error.message, "", error);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw refusal(filename, "No such file or directory", "", error);
    if (code === "EACCES") throw refusal(filename, "Permission denied", "make the image readable for this user", error);
    throw refusal(filename, message, "", error);
  }
}

function namesOthers(filename: string, header: ImageHeader): ApplianceError {
  const words = { backing: "a backing file", data: "a data file", extent: "an extent" };
  const names = header.references
    .slice(0, 4)
    .map(({ kind, name }) => `${words[kind]}${name === "" ? "" : ` ${printable(name)}`}`);
  return refusal(
    filename,
    `this ${header.format} image names another file: ${names.join(", ")}`,
    "if you trust the image, allow it with the backend setting allow_other_files: LIBGUESTFS_BACKEND_SETTINGS=allow_other_files",
  );
}

function resolveName(filename: string, { name }: ImageReference): string {
  // Names with a protocol (json:, nbd:, http:) make QEMU open anything; only plain paths are followed.
  if (name === "" || /^[^/]*:/.test(name)) throw refusal(filename, `the other file ${printable(name)} is not a path`);
  return isAbsolute(name) ? name : join(dirname(filename), name);
}

async function backingFormat(
  filename: string,
  format: string,
  reference: ImageReference,
  allowOthers: true | "recorded",
  chain: readonly string[],
): Promise<DriveFormat["backing"]> {
  if (!withBacking.has(format)) throw refusal(filename, `a ${format} image that has a parent can't be used`);
  const path = resolveName(filename, reference);
  const isBlockDevice = await isDevice(path);
  return { filename: path, format: await imageFormat(path, reference.format, allowOthers, chain), isBlockDevice };
}

/** Whether an image is a block device, and not a file. */
async function isDevice(filename: string): Promise<boolean> {
  const info = await stat(filename).catch((error: NodeJS.ErrnoException) => {
    throw refusal(filename, error.code === "ENOENT" ? "No such file or directory" : error.message, "", error);
  });
  // QEMU waits for ever for the other end of a FIFO.
  if (!info.isFile() && !info.isBlockDevice()) throw refusal(filename, "neither a regular file nor a block device");
  return info.isBlockDevice();
}
