import type { ApplianceDrive } from "@guestfs/appliance";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Attachment } from "../attach/attachment.ts";
import { CallContext } from "../call-context.ts";
import { checkDrive, describeDrive } from "../drives.ts";
import type { DriveOptions } from "../drives.ts";
import { GuestfsError, UnsupportedError } from "../errors.ts";
import { requireConfig } from "../state.ts";
import type { LibraryFunctions } from "./library.ts";

/** What a drive of `/dev/null` is: libguestfs makes the same, empty and of this size. */
const nullDriveSize = 4096;

/** Drives come and go before the launch, and while an appliance of ours runs. */
function requireChangeable({ handle, procedure }: CallContext): void {
  if (handle.state !== "READY" || handle.attachment?.addDrive === undefined) requireConfig(handle.state, procedure);
}

/** Takes a drive out of the appliance that its caller was told is not there. */
async function takeBack({ handle, procedure }: CallContext, attachment: Attachment, target: number): Promise<void> {
  try {
    // Not a call of the caller's, who may have cancelled.
    await new CallContext(handle, procedure).call("extension_drive_leaves", { target });
  } catch {
    // The guest does not know it.
  }
  // With the appliance, all of its drives are gone.
  await attachment.removeDrive?.(target).catch(() => undefined);
}

/** Puts a drive on the list, and into the appliance when it runs. */
async function take(context: CallContext, drive: ApplianceDrive): Promise<void> {
  const { handle, procedure } = context;
  handle.drives.add(procedure, drive);
  const { attachment } = handle;
  if (attachment?.addDrive === undefined) return;
  try {
    const target = handle.drives.takeTarget(procedure, drive);
    await attachment.addDrive(drive, target);
    try {
      await context.call("extension_drive_added", { target });
      context.cancellation.check();
    } catch (error) {
      await takeBack(context, attachment, target);
      throw error;
    }
  } catch (error) {
    handle.drives.drop(drive);
    throw error;
  }
}

async function addDrive(context: CallContext, filename: string, options: DriveOptions): Promise<void> {
  const { procedure } = context;
  requireChangeable(context);
  if (filename === "/dev/null" && (options.protocol ?? "file") === "file") {
    if (options.format !== undefined && options.format !== "raw")
      throw new RangeError(`${procedure}: format: of /dev/null it can only be raw`);
    await addScratch(context, nullDriveSize, options);
    return;
  }
  await take(context, await checkDrive(procedure, filename, options));
}

async function addScratch(context: CallContext, size: number | bigint, options: DriveOptions): Promise<void> {
  const { handle, procedure } = context;
  requireChangeable(context);
  if (size < 0) throw new RangeError(`${procedure}: size: ${size} is negative`);
  const path = join(await handle.temporary.path(), `scratch${handle.drives.nextScratch()}.img`);
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.truncate(Number(size));
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw new GuestfsError("LOCAL", `a drive of ${size} bytes: ${(error as Error).message}`, {
      procedure,
      cause: error,
    });
  }
  const { name, label, blocksize } = options;
  await take(
    context,
    await checkDrive(procedure, path, { name, label, blocksize, format: "raw", cachemode: "unsafe" }),
  );
}

async function deviceAt(context: CallContext, index: number): Promise<string> {
  const device = (await context.call("list_devices", {}))[index];
  if (device === undefined) throw new RangeError(`${context.procedure}: index: there is no drive ${index}`);
  return device;
}

function canonical(device: string): string {
  return device.replace(/^\/dev\/[hsv]d(?=[a-z])/, "/dev/sd");
}

/** Drives and the names of their devices. */
export const driveFunctions: LibraryFunctions<
  | "addCdrom"
  | "addDomain"
  | "addDrive"
  | "addDriveRo"
  | "addDriveRoWithIf"
  | "addDriveScratch"
  | "addDriveWithIf"
  | "addLibvirtDom"
  | "canonicalDeviceName"
  | "debugDrives"
  | "deviceIndex"
  | "deviceName"
  | "removeDrive"
> = {
  addCdrom: (context, filename) => addDrive(context, filename, { readonly: true }),
  // Loaded when it is wanted: most programs have no domains.
  addDomain: async (context, dom, options = {}) => (await import("./domain.ts")).addDomain(context, dom, options),
  addDrive: (context, filename, options = {}) => addDrive(context, filename, options),
  addDriveRo: (context, filename) => addDrive(context, filename, { readonly: true }),
  addDriveRoWithIf: (context, filename, iface) => addDrive(context, filename, { readonly: true, iface }),
  addDriveScratch: (context, size, options = {}) => addScratch(context, size, options),
  addDriveWithIf: (context, filename, iface) => addDrive(context, filename, { iface }),
  addLibvirtDom({ procedure }) {
    const reason =
      "it takes a pointer of the C library libvirt, and there is none here: give the domain's name to add_domain";
    return Promise.reject(new UnsupportedError(reason, "", { procedure }));
  },
  async canonicalDeviceName(context, device) {
    if (!/^\/dev\/(?:mapper\/|dm-)/.test(device)) return canonical(device);
    try {
      return await context.call("lvm_canonical_lv_name", { lvname: device });
    } catch (error) {
      // No logical volume: then its name is canonical, as libguestfs has it.
      if (error instanceof GuestfsError && (error.code === "REMOTE" || error.code === "UNSUPPORTED")) return device;
      throw error;
    }
  },
  debugDrives: ({ handle }) => handle.drives.list().map(describeDrive),
  async deviceIndex(context, device) {
    const devices = await context.call("list_devices", {});
    const index = devices.map(canonical).indexOf(canonical(device));
    if (index < 0)
      throw new GuestfsError("LOCAL", `${device}: no such device; there are ${devices.join(", ")}`, {
        procedure: context.procedure,
      });
    return index;
  },
  deviceName: deviceAt,
  async removeDrive(context, label) {
    const { handle, procedure } = context;
    requireChangeable(context);
    const target = handle.drives.targetOf(label);
    const { attachment } = handle;
    if (target !== undefined && attachment?.removeDrive !== undefined) {
      await context.call("extension_drive_leaves", { target });
      await attachment.removeDrive(target);
    }
    if (!handle.drives.remove(label))
      throw new GuestfsError("LOCAL", `no drive has the label ${JSON.stringify(label)}`, { procedure });
  },
};
