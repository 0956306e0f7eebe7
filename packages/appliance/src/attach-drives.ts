import { rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { QmpError } from "@guestfs/qemu";
import type { QmpClient } from "@guestfs/qemu";
import { ApplianceError, messageOf } from "./appliance-error.ts";
import { driveFormat } from "./drive-format.ts";
import type { DriveFormat } from "./drive-format.ts";
import { encodedSecret, protocolNode } from "./drive-node.ts";
import type { BlockNode } from "./drive-node.ts";
import type { ApplianceDrive } from "./drive.ts";
import { fillSlot, slotTarget } from "./drive-slot.ts";
import { lookAt } from "./look.ts";
import { emptyQcow2 } from "./qcow2-overlay.ts";
import { diskId, scsiDisk } from "./scsi-disk.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { isWebDrive, serveWebDrive } from "./web-drive.ts";
import type { ServedDrive } from "./web-drive.ts";

/** Highest number of drives: the SCSI targets of one virtio-scsi controller but one, as libguestfs says it. */
export const maxDrives = 255;

const DETACH_MS = 10_000;
const SECTOR = 512;
// QEMU does nothing else while it waits for a server. Longer than nbdkit waits for one, whose reason is the better one, and shorter than a
// guest may take that could have another reason to be late.
const SERVER_MS = 20_000;

/** A drive with everything decided that can be decided without QEMU. */
export interface PreparedDrive {
  drive: ApplianceDrive;
  format: DriveFormat;
  isBlockDevice: boolean;
}

const driveError = (drive: ApplianceDrive, message: string, fix = "", cause?: unknown): ApplianceError =>
  new ApplianceError({ stage: "drive", message: `${drive.filename}: ${message}`, fix, cause });

/**
 * Checks drives and reads their headers; what can be refused is refused here, before anything is started.
 *
 * @throws ApplianceError of stage `drive`
 */
export async function prepareDrives(drives: readonly ApplianceDrive[]): Promise<PreparedDrive[]> {
  if (drives.length > maxDrives) {
    throw new ApplianceError({
      stage: "drive",
      message: `${drives.length} drives are too many: an appliance takes ${maxDrives}`,
    });
  }
  return Promise.all(drives.map(prepare));
}

/** Formats that name other files than a backing file, which QEMU is told that there is none. */
const namesFiles = new Set(["qcow2", "vmdk"]);

async function prepare(given: ApplianceDrive): Promise<PreparedDrive> {
  const { protocol = "file", label, blocksize = 512 } = given;
  if (label !== undefined && !/^[A-Za-z0-9_.-]{1,20}$/.test(label)) {
    throw driveError(given, `the label ${JSON.stringify(label)} is not 1 to 20 of A-Z a-z 0-9 _ . -`);
  }
  if (blocksize !== 512 && blocksize !== 4096)
    throw driveError(given, `a block size of ${String(blocksize)} is neither 512 nor 4096`);
  if (isWebDrive(given) && given.readonly !== true)
    throw driveError(given, `over ${protocol} a drive can only be read`, "add it read-only");
  if (protocol !== "file") {
    // Its header is the server's to change at any time, so that nobody can look at it before QEMU does.
    if (namesFiles.has(given.format ?? "raw") && !given.allowOtherFiles)
      throw driveError(
        given,
        `a ${given.format} image over ${protocol} could name a file of this host`,
        "if you trust the server, allow it with the backend setting allow_other_files: LIBGUESTFS_BACKEND_SETTINGS=allow_other_files",
      );
    return {
      drive: given,
      format: { format: given.format ?? "raw", backing: null, dataFile: undefined },
      isBlockDevice: false,
    };
  }
  // QEMU takes a leading word with a colon for a protocol.
  const drive = { ...given, filename: resolve(given.filename) };
  const format = await driveFormat(drive);
  const info = await stat(drive.filename).catch((error: NodeJS.ErrnoException) => {
    throw driveError(drive, error.code === "ENOENT" ? "No such file or directory" : error.message, "", error);
  });
  if (!info.isFile() && !info.isBlockDevice()) throw driveError(drive, "neither a regular file nor a block device");
  if (given.discard === "enable" && !new Set(["raw", "qcow2"]).has(format.format)) {
    throw driveError(drive, `discard can't be enabled on a ${format.format} image`, "use discard: besteffort");
  }
  return { drive, format, isBlockDevice: info.isBlockDevice() };
}

/** Options that hold for every node of one drive. */
interface NodeOptions {
  readonly: boolean;
  noFlush: boolean;
  discard: "unmap" | "ignore";
  locking: boolean;
  /** Whether what is only read is read through Linux's io_uring, where that can be: an answer comes a thread's turn sooner. */
  ring: boolean;
}

function fileNode(filename: string, isBlockDevice: boolean, options: NodeOptions): BlockNode {
  return withOptions({ driver: isBlockDevice ? "host_device" : "file", filename }, options);
}

function withOptions(node: BlockNode, options: NodeOptions): BlockNode {
  const local = node.driver === "file" || node.driver === "host_device";
  return {
    ...node,
    "read-only": options.readonly,
    cache: { direct: false, "no-flush": options.noFlush },
    discard: options.discard,
    ...(local && !options.locking ? { locking: "off" } : {}),
    ...(local && options.readonly && options.ring && endsWithSector(String(node["filename"]))
      ? { aio: "io_uring" }
      : {}),
  };
}

/**
 * QEMU reads up to the end of a file's last sector, whatever the format, and no further. With io_uring (seen with QEMU 7.2) it goes on with
 * a read that got less only when the next one comes, and when it opens an image none does.
 */
const endsWithSector = (filename: string): boolean => (lookAt(filename)?.size ?? 0) % SECTOR === 0;

/** The format's node over the protocol's, with the backing chain and the data file spelled out so that QEMU looks for none itself. */
export function imageNode(file: BlockNode, format: DriveFormat, options: NodeOptions): BlockNode {
  const node: BlockNode = withOptions({ driver: format.format, file: withOptions(file, options) }, options);
  const { backing, dataFile } = format;
  const behind = { ...options, readonly: true, discard: "ignore" as const };
  if (backing !== null) {
    node["backing"] = imageNode(fileNode(backing.filename, backing.isBlockDevice, behind), backing.format, behind);
  } else if (["qcow2", "qcow", "qed", "vmdk"].includes(format.format)) node["backing"] = null;
  if (dataFile !== undefined) node["data-file"] = fileNode(dataFile, false, options);
  return node;
}

/** Not every QEMU is built with io_uring, not every kernel has it, and containers often forbid it. */
const refusesRing = (error: unknown): boolean =>
  error instanceof ApplianceError && error.cause instanceof QmpError && /io_uring|'aio'/.test(error.cause.description);

async function run(drive: ApplianceDrive, action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof QmpError) || error.code === "closed") throw error;
    const { code, description } = error;
    if (code !== "command") throw driveError(drive, description, "check that what the image is on answers", error);
    // QEMU before 6.1 can't fill the slot: no fault of the drive, and booting helps.
    if (description.includes("after it was realized")) throw error;
    let fix = "";
    if (/Unknown driver|Invalid parameter '(ssh|https?|ftps?|iscsi|rbd|gluster)'/.test(description))
      fix = `sudo apt-get install ${isWebDrive(drive) ? "nbdkit" : "qemu-block-extra"}`;
    else if (/Failed to get .* lock/.test(description))
      fix = "stop the program that uses the image, or open it read-only";
    throw driveError(drive, description, fix, error);
  }
}

/**
 * Attaches drives to a QEMU whose machine has the SCSI controller `scsi0`: drive i becomes target `first` + i, in the slot's disk where it
 * goes there. Secrets go over QMP and are never on a command line. A read-only drive's image is opened for reading only, without QEMU's
 * image lock (so a disk in use can be looked at), under an overlay that takes the writes. Overlays are files in a 0700 folder in `tmpDir`;
 * as soon as QEMU has them open they have no name any more, so that nothing stays behind however this ends.
 *
 * @throws ApplianceError of stage `drive` or `host`, QmpError
 */
export async function attachDrives(
  qmp: QmpClient,
  drives: readonly PreparedDrive[],
  tmpDir: string,
  { first = 0, intoSlot = false, onDebug }: Place = {},
): Promise<void> {
  const steps = drives.map(
    (drive, index) => new DriveSteps(qmp, drive, first + index, intoSlot && first + index === slotTarget),
  );
  if (!steps.some(({ readonly }) => readonly)) return attachInto(qmp, steps, tmpDir);
  const folder = await makeTemporaryFolder(tmpDir).catch((error: unknown) => {
    throw new ApplianceError({
      stage: "host",
      message: `no temporary folder can be made in ${tmpDir}`,
      evidence: messageOf(error),
      fix: "set LIBGUESTFS_TMPDIR to a folder that you can write",
      cause: error,
    });
  });
  try {
    await forAll(steps, (step) => step.serve(folder, onDebug));
    await attachInto(qmp, steps, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Takes a drive away again, after the guest has let go of it.
 *
 * @throws QmpError
 */
export async function detachDrive(qmp: QmpClient, target: number): Promise<void> {
  const id = diskId(target);
  let forget = (): void => undefined;
  const deleted = new Promise<void>((resolve) => {
    forget = qmp.onEvent(({ event, data }) => {
      if (event === "DEVICE_DELETED" && data["device"] === id) resolve();
    });
  });
  try {
    await qmp.execute("device_del", { id });
    await Promise.race([deleted, sleep(DETACH_MS, undefined, { ref: false })]);
  } finally {
    forget();
  }
  await removeNodes(qmp, target);
}

/** Closes the images of a drive that no disk has any more. @throws QmpError */
export async function removeNodes(qmp: QmpClient, target: number): Promise<void> {
  const nodes = new Set(
    (await qmp.execute("query-named-block-nodes", { flat: true })).map((node) => node["node-name"]),
  );
  for (const name of [`cor${target}`, `overlay${target}`, `image${target}`]) {
    if (nodes.has(name)) await qmp.execute("blockdev-del", { "node-name": name });
  }
}

async function attachInto(qmp: QmpClient, steps: readonly DriveSteps[], folder: string): Promise<void> {
  // QEMU works on one command after the other; what is saved is waiting for each answer.
  await forAll(steps, (step) => step.addImage());
  const overlaid = steps.filter(({ readonly }) => readonly);
  if (overlaid.length > 0) {
    const nodes = await qmp.execute("query-named-block-nodes", { flat: true });
    const sizes = new Map(nodes.map((node) => [node["node-name"], node.image["virtual-size"]]));
    await forAll(overlaid, (step) => step.addOverlay(sizes, folder));
  }
  await forAll(steps, (step) => step.addDevice());
}

/** Does something for all at once, and throws the error of the first in the list that has one. */
async function forAll(steps: readonly DriveSteps[], action: (step: DriveSteps) => Promise<void>): Promise<void> {
  for (const [index, result] of (await Promise.allSettled(steps.map(action))).entries()) {
    if (result.status === "rejected") throw steps[index]?.explain(result.reason) ?? result.reason;
  }
}

/** Where drives go. */
interface Place {
  /** SCSI target of the first. Default 0. */
  first?: number;
  /** `true`: the slot's drive goes into the disk that is there. Default `false`. */
  intoSlot?: boolean;
  /** Hears how drives of the web are read. */
  onDebug?: (line: string) => void;
}

/** What has to be done with QEMU for one drive. */
class DriveSteps {
  readonly readonly: boolean;
  readonly #qmp: QmpClient;
  readonly #prepared: PreparedDrive;
  readonly #index: number;
  readonly #intoSlot: boolean;
  #top: string;
  #served: ServedDrive | undefined;

  constructor(qmp: QmpClient, prepared: PreparedDrive, index: number, intoSlot: boolean) {
    this.#qmp = qmp;
    this.#prepared = prepared;
    this.#index = index;
    this.#intoSlot = intoSlot;
    this.#top = `image${index}`;
    this.readonly = prepared.drive.readonly === true;
  }

  /** What went wrong with the drive: a file that can't be written, an option that makes no sense. */
  explain(error: unknown): unknown {
    if (error instanceof ApplianceError || error instanceof QmpError) return error;
    return driveError(this.#prepared.drive, messageOf(error), "", error);
  }

  /** Starts what reads a drive of the web, if it is one. */
  async serve(folder: string, onDebug: (line: string) => void = () => undefined): Promise<void> {
    const { drive } = this.#prepared;
    if (!isWebDrive(drive)) return;
    this.#served = await serveWebDrive(drive, { folder, name: this.#top, closed: this.#qmp.closed, onDebug });
  }

  async addImage(): Promise<void> {
    const { drive, format, isBlockDevice } = this.#prepared;
    const served = this.#served;
    const secret = served !== undefined || drive.secret === undefined ? undefined : `secret${this.#index}`;
    if (secret !== undefined) {
      const data = encodedSecret(drive);
      await run(drive, this.#qmp.execute("object-add", { "qom-type": "secret", id: secret, format: "base64", data }));
    }
    const options: NodeOptions = {
      readonly: this.readonly,
      noFlush: drive.cachemode === "unsafe",
      discard: drive.discard === "enable" || drive.discard === "besteffort" ? "unmap" : "ignore",
      locking: !this.readonly,
      ring: true,
    };
    const file = served?.node ?? protocolNode(drive, isBlockDevice, secret);
    const add = (how: NodeOptions): Promise<void> =>
      this.#addNode({ ...imageNode(file, format, how), "node-name": this.#top });
    try {
      await add(options).catch((error: unknown) => {
        if (!refusesRing(error)) throw error;
        return add({ ...options, ring: false });
      });
    } catch (error) {
      throw (await served?.explain(error)) ?? error;
    } finally {
      // The drivers look at it when they open, and another drive may come under this number. Where QEMU is gone, so is the secret.
      if (secret !== undefined) await this.#qmp.execute("object-del", { id: secret }).catch(() => undefined);
    }
  }

  async addOverlay(sizes: ReadonlyMap<string, number>, folder: string): Promise<void> {
    const size = sizes.get(this.#top);
    if (size === undefined) throw driveError(this.#prepared.drive, "QEMU does not tell the size of the image");
    const filename = join(folder, `overlay${this.#index}.qcow2`);
    await writeFile(filename, emptyQcow2(size), { mode: 0o600, flag: "wx" });
    const cache = { "no-flush": true };
    const top = `overlay${this.#index}`;
    await this.#addNode({
      driver: "qcow2",
      "node-name": top,
      file: { driver: "file", filename, cache, discard: "unmap" },
      backing: this.#top,
      discard: "unmap",
      cache,
    });
    this.#top = top;
  }

  async addDevice(): Promise<void> {
    const { drive } = this.#prepared;
    const index = this.#index;
    if (drive.copyonread === true) {
      await this.#addNode({ driver: "copy-on-read", "node-name": `cor${index}`, file: this.#top });
      this.#top = `cor${index}`;
    }
    if (this.#intoSlot) return run(drive, fillSlot(this.#qmp, this.#top));
    const sector = drive.blocksize ?? 512;
    const device = {
      ...scsiDisk(index, this.#top),
      ...(drive.label === undefined ? {} : { serial: drive.label }),
      ...(sector === 512 ? {} : { logical_block_size: sector, physical_block_size: sector }),
    };
    await run(drive, this.#qmp.execute("device_add", device));
  }

  #addNode(node: Record<string, unknown>): Promise<void> {
    const { drive } = this.#prepared;
    const limit = (drive.protocol ?? "file") === "file" ? undefined : SERVER_MS;
    return run(drive, this.#qmp.execute("blockdev-add", node, limit));
  }
}
