import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ProgramFailedError, ProgramNotFoundError } from "@guestfs/qemu";
import { ApplianceError, messageOf } from "./appliance-error.ts";
import { Apt } from "./apt.ts";
import type { PackageVersion } from "./apt.ts";
import { buildFolder, removeDrafts, removeOld, touch } from "./build-folder.ts";
import { acquireCacheLock } from "./cache-lock.ts";
import { areIntact, haveTheirSizes, recordFiles } from "./file-record.ts";
import { checkBuildPrograms, factsOf, findSource } from "./host-source.ts";
import type { HostSource } from "./host-source.ts";
import { lookAt } from "./look.ts";
import { leaveOut } from "./packages.ts";
import { planAppliance } from "./plan.ts";
import type { AppliancePlan } from "./plan.ts";
import { buildRootImage } from "./root-image.ts";
import { buildSystem } from "./system-image.ts";

/** What {@link buildAppliance} needs to know. */
export interface BuildOptions {
  /** Folder for built appliances; made 0700 when missing. */
  cacheDir: string;
  /** Folder with the bundled daemon: `guestfsd.cjs` and what it loads. */
  daemonBundle: string;
  /** Receives one line for each step. */
  onDebug?(line: string): void;
  /** Aborting it ends the build; nothing half-made stays. */
  signal?: AbortSignal;
}

/** An appliance that can be started. */
export interface BuiltAppliance {
  /** Kernel: an ELF file, or a bzImage. */
  kernel: string;
  /** Initial RAM disk. */
  initrd: string;
  /** EROFS image of the root. */
  rootImage: string;
  /** EROFS image with node, the daemon and the kernel's modules. */
  systemImage: string;
  /** Release of the kernel. */
  kernelVersion: string;
  /** Digest of everything that the appliance is made of, package versions included. */
  digest: string;
}

const RETRY_MS = 60 * 60 * 1000;

interface RootRecord {
  /** The package lists that it was made of, or that could not be used until {@link RootRecord.retryMs}. */
  aptStamp: string;
  retryMs?: number;
  packages: PackageVersion[];
  folder: string;
}

/**
 * Gives the appliance for this host, building what is missing or out of date: the root image when the list of packages changed or apt's
 * lists offer other versions of them; the system image when kernel, modules, node, busybox or the daemon changed. Any number of programs
 * may ask at once: one builds, the others wait for it. When there is an appliance, and building the newer one does not work, the one that is
 * there is given, and building is tried again an hour later.
 *
 * @throws ApplianceError of stage `host` (something is missing on this host; `fix` says how to get it), `build` or `cancelled`
 */
export async function buildAppliance(options: BuildOptions): Promise<BuiltAppliance> {
  const onDebug = (line: string): void => options.onDebug?.(line);
  const store = join(options.cacheDir, "appliance");
  try {
    await makePrivate(store);
    const source = await findSource();
    const aptStamp = Apt.stamp();
    const plan = planAppliance(factsOf(source, options.daemonBundle));
    const built = fromCache(store, plan, aptStamp);
    if (built !== undefined) return built;
    const wait = (): void => onDebug("waiting for another program that builds the appliance");
    const lock = await acquireCacheLock(join(store, "lock"), wait, options.signal);
    try {
      return fromCache(store, plan, aptStamp) ?? (await build(store, plan, aptStamp, source, options));
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explained(error, store, options.signal);
  }
}

/** Makes a folder and the one that it is in. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // That is what node makes of a file system that can't be written; one folder at a time tells what it is.
    for (const each of [dirname(path), path]) {
      await mkdir(each, { mode: 0o700 }).catch((reason: NodeJS.ErrnoException) => {
        if (reason.code !== "EEXIST") throw reason;
      });
    }
  }
}

async function makePrivate(store: string): Promise<void> {
  await makeFolder(store);
  const { uid, mode } = statSync(store);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new ApplianceError({
      stage: "host",
      message: `the cache folder ${store} belongs to another user or can be written by others, who could put their own appliance there`,
      fix: "remove it, or set LIBGUESTFS_CACHEDIR to a folder of your own",
    });
  }
}

function fromCache(store: string, plan: AppliancePlan, aptStamp: string): BuiltAppliance | undefined {
  const record = readRecord(store, plan);
  return record !== undefined && isOf(aptStamp, record) ? assemble(store, plan, record) : undefined;
}

const isOf = (aptStamp: string, record: RootRecord): boolean =>
  record.aptStamp === aptStamp && (record.retryMs === undefined || Math.abs(record.retryMs - Date.now()) < RETRY_MS);

async function writeRecord(store: string, plan: AppliancePlan, record: RootRecord): Promise<RootRecord> {
  const path = join(store, `root-${plan.root.digest}.json`);
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return record;
}

function readRecord(store: string, plan: AppliancePlan): RootRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(store, `root-${plan.root.digest}.json`), "utf8")) as RootRecord;
  } catch {
    return undefined;
  }
}

function assemble(store: string, plan: AppliancePlan, record: RootRecord): BuiltAppliance | undefined {
  const system = join(store, `system-${plan.system.digest}`);
  const built: BuiltAppliance = {
    kernel: join(system, "kernel"),
    initrd: join(system, "initrd"),
    rootImage: join(store, record.folder, "root.erofs"),
    systemImage: join(system, "system.erofs"),
    kernelVersion: plan.system.kernelVersion,
    digest: createHash("sha256").update(`${record.folder} ${plan.system.digest}`).digest("hex").slice(0, 24),
  };
  const paths = [built.kernel, built.initrd, built.rootImage, built.systemImage];
  const isThere = paths.every((path) => (lookAt(path)?.size ?? 0) > 0);
  return isThere && foldersOf(built).every(haveTheirSizes) ? built : undefined;
}

async function build(
  store: string,
  plan: AppliancePlan,
  aptStamp: string,
  source: HostSource,
  options: BuildOptions,
): Promise<BuiltAppliance> {
  const onDebug = (line: string): void => options.onDebug?.(line);
  await removeDrafts(store);
  try {
    await checkBuildPrograms(source);
  } catch (error) {
    const known = readRecord(store, plan);
    const built = known && assemble(store, plan, known);
    if (known === undefined || built === undefined) throw error;
    await keep(store, plan, { ...known, aptStamp }, error, onDebug);
    return built;
  }
  const record = await freshRoot(store, plan, aptStamp, options);
  const system = `system-${plan.system.digest}`;
  if (lookAt(join(store, system)) === undefined || assemble(store, plan, record) === undefined) {
    onDebug(`building the system image for Linux ${source.kernel.version}`);
    const input = { ...source, daemonBundle: options.daemonBundle, signal: options.signal };
    await buildFolder(store, system, async (folder) => {
      await buildSystem({ ...input, folder });
      await recordFiles(folder);
    });
  }
  const built = assemble(store, plan, record);
  await removeOld(store, [record.folder, system]);
  if (built === undefined)
    throw new ApplianceError({
      stage: "build",
      message: `the appliance in ${store} is not complete after it was built`,
    });
  return built;
}

/** What was made of older package lists starts as well as ever. */
async function keep(
  store: string,
  plan: AppliancePlan,
  record: RootRecord,
  reason: unknown,
  onDebug: (line: string) => void,
): Promise<RootRecord> {
  onDebug(`keeping the root image: ${messageOf(reason)}`);
  const kept = { ...record, retryMs: Date.now() + RETRY_MS };
  return writeRecord(store, plan, kept).catch(() => kept);
}

async function freshRoot(
  store: string,
  plan: AppliancePlan,
  aptStamp: string,
  options: BuildOptions,
): Promise<RootRecord> {
  const onDebug = (line: string): void => options.onDebug?.(line);
  const known = readRecord(store, plan);
  const usable = known !== undefined && isWhole(store, known) ? known : undefined;
  if (usable !== undefined && isOf(aptStamp, usable)) return usable;
  try {
    return await buildRoot(store, plan, aptStamp, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (usable === undefined) throw error;
    return keep(store, plan, { ...usable, aptStamp }, error, onDebug);
  }
}

function isWhole(store: string, record: RootRecord): boolean {
  const folder = join(store, record.folder);
  return (lookAt(join(folder, "root.erofs"))?.size ?? 0) > 0 && haveTheirSizes(folder);
}

async function buildRoot(
  store: string,
  plan: AppliancePlan,
  aptStamp: string,
  options: BuildOptions,
): Promise<RootRecord> {
  const onDebug = (line: string): void => options.onDebug?.(line);
  const apt = new Apt(join(store, "apt"));
  onDebug("asking apt for the appliance's packages");
  const missing = (name: string): void => onDebug(`this release has no package ${name}; going on without it`);
  const all = await apt.resolve(plan.root.packages, missing, options.signal);
  const packages = all.filter(({ name }) => !leaveOut(name));
  const versions = createHash("sha256")
    .update(JSON.stringify([plan.root.digest, packages]))
    .digest("hex")
    .slice(0, 24);
  const record: RootRecord = { aptStamp, packages, folder: `root-${versions}` };
  if (!isWhole(store, record)) {
    await buildFolder(store, record.folder, async (folder) => {
      await buildRootImage({
        apt,
        packages,
        without: plan.root.without,
        folder,
        image: join(folder, "root.erofs"),
        onDebug,
        signal: options.signal,
      });
      await recordFiles(folder);
    });
  }
  return writeRecord(store, plan, record);
}

function explained(error: unknown, store: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true)
    return new ApplianceError({ stage: "cancelled", message: "building the appliance was cancelled", cause: error });
  if (error instanceof ProgramNotFoundError || error instanceof ProgramFailedError) {
    return new ApplianceError({
      stage: "build",
      message: "building the appliance failed",
      evidence: error.message,
      cause: error,
    });
  }
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof Error && code !== undefined && syscall !== undefined) {
    const elsewhere = `set LIBGUESTFS_CACHEDIR to a folder ${code === "ENOSPC" || code === "EDQUOT" ? "with more room (the appliance takes some 800 MiB)" : "that you can write"}`;
    return new ApplianceError({
      stage: "build",
      message: `the appliance can't be kept in ${store}: ${message}`,
      fix: ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM"].includes(code) ? elsewhere : "",
      cause: error,
    });
  }
  return error;
}

/** The folders that an appliance is in. */
const foldersOf = ({ rootImage, systemImage }: BuiltAppliance): string[] => [rootImage, systemImage].map(dirname);

/** Marks an appliance as used now, so that `removeOld` keeps it. */
export function touchAppliance(built: BuiltAppliance): void {
  foldersOf(built).forEach(touch);
}

/**
 * Reads all of an appliance, and removes what is not as it was built: {@link buildAppliance} builds it again.
 *
 * @returns whether something was removed
 * @throws an error of the filesystem; ApplianceError of stage `cancelled`
 */
export async function removeDamaged(built: BuiltAppliance, signal?: AbortSignal): Promise<boolean> {
  let found = false;
  const store = dirname(dirname(built.rootImage));
  const lock = await acquireCacheLock(join(store, "lock"), () => undefined, signal);
  try {
    for (const folder of foldersOf(built)) {
      if (await areIntact(folder)) continue;
      found = true;
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
  return found;
}
