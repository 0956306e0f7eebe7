import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import { GuestfsError } from "../errors.ts";

interface Outcome {
  readonly status: number | null;
  readonly message: string;
}

async function run(program: string, args: readonly string[], inherited: readonly number[]): Promise<Outcome> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", ...inherited] });
  let message = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, message: message.trim() }));
  });
}

/** What is mounted. */
export interface MountPoint {
  /** Absolute path of the folder, without links in it. */
  readonly folder: string;
  /** What mount(8) shows as its source. */
  readonly source: string;
  /** What it shows behind `fuse.` as the type. */
  readonly subtype: string;
  /** Options for the kernel. */
  readonly options: readonly string[];
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Takes a descriptor from fusermount3(1), which only C can: the one native part, loaded by those who may not mount themselves. */
async function receive(folder: string, options: readonly string[]): Promise<number> {
  // By way of guestfs, whose dependency it is: this module may be in the bundle of a program. And by require(): what a bundle has
  // compiled beforehand can't import() in Node 20.
  const load = createRequire(createRequire(import.meta.url).resolve("guestfs/package.json"));
  const native = load("guestfsd/fuse-descriptor") as {
    receiveFuseDescriptor(folder: string, options: readonly string[]): Promise<number>;
  };
  return native.receiveFuseDescriptor(folder, options);
}

/**
 * Mounts a FUSE file system on a folder.
 * @returns descriptor of /dev/fuse, on which the kernel's requests come
 * @throws GuestfsError with code LOCAL
 */
export async function mountFuse({ folder, source, subtype, options }: MountPoint): Promise<number> {
  if (!isRoot()) {
    try {
      return await receive(folder, [`fsname=${source}`, `subtype=${subtype}`, ...options]);
    } catch (error) {
      throw new GuestfsError("LOCAL", (error as Error).message, { cause: error });
    }
  }
  let fd: number;
  try {
    fd = openSync("/dev/fuse", "r+");
  } catch (error) {
    throw new GuestfsError(
      "LOCAL",
      `/dev/fuse can't be opened: ${(error as Error).message}\nTo fix it: modprobe fuse`,
      {
        cause: error,
      },
    );
  }
  const all = ["fd=3", "rootmode=40000", "user_id=0", "group_id=0", "nosuid", "nodev", ...options];
  const words = ["-i", "-n", "-t", `fuse.${subtype}`, "-o", all.join(","), "--", source, folder];
  const { status, message } = await run("mount", words, [fd]);
  if (status === 0) return fd;
  closeSync(fd);
  throw new GuestfsError("LOCAL", `${folder} can't be mounted on: ${message}`);
}

/** Undoes the escapes of mountinfo (proc(5)). */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Something that is mounted. */
export interface MountedOn {
  readonly source: string;
  /** Number of the kernel's connection to whoever serves it, when it is FUSE. */
  readonly connection: number;
}

/** What is mounted on a folder, the last mounted one; `undefined` when nothing is. */
export async function mountedOn(folder: string): Promise<MountedOn | undefined> {
  const table = await readFile("/proc/self/mountinfo", "latin1");
  const wanted = Buffer.from(folder).toString("latin1");
  let found: MountedOn | undefined;
  for (const line of table.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-");
    if (dash < 0 || unescape(fields[4] ?? "") !== wanted) continue;
    // FUSE's superblocks are numbered by their connections, and have no device.
    const minor = Number(fields[2]?.split(":")[1]);
    found = { source: unescape(fields[dash + 2] ?? ""), connection: minor };
  }
  return found;
}

const unmountPrograms = (): readonly string[] => (isRoot() ? ["umount"] : ["fusermount3", "fusermount"]);

/**
 * Unmounts a folder.
 * @returns what stands in the way, `""` when it is unmounted
 * @throws GuestfsError with code LOCAL when there is no program for it
 */
export async function unmountFuse(folder: string): Promise<string> {
  const programs = unmountPrograms();
  for (const program of programs) {
    try {
      const { status, message } = await run(program, [isRoot() ? "-i" : "-u", "--", folder], []);
      return status === 0 ? "" : message || `${program} ended with status ${status}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new GuestfsError("LOCAL", `there is no ${programs[0]} here\nTo fix it: apt install fuse3`);
}

/**
 * Unmounts a folder that some process has mounted by FUSE.
 * @param retries - how often it is tried again while the folder is in use, after pauses of 1, 2, 4, ... seconds
 * @param tell - takes what stands in the way, before each pause
 * @throws GuestfsError with code LOCAL
 */
export async function unmountFolder(folder: string, retries: number, tell: (obstacle: string) => void): Promise<void> {
  for (let tried = 0; ; tried++) {
    const obstacle = await unmountFuse(folder);
    if (obstacle === "") return;
    if (tried >= retries) throw new GuestfsError("LOCAL", `${folder} can't be unmounted: ${obstacle}`);
    tell(obstacle);
    await delay(1000 * 2 ** tried);
  }
}

/**
 * Ends a file system at once: nobody sees it any more, and who uses it still gets errors (fuse(4), abort). Nothing is asked
 * of the file system itself, so this works when nobody serves it.
 */
export async function endFuse(folder: string, connection: number): Promise<void> {
  abortFuse(connection);
  for (const program of unmountPrograms())
    if (await run(program, [...endFlags(), "--", folder], []).catch(() => undefined)) return;
}

/** The same, done when this returns: for the end of a process. */
export function endFuseNow(folder: string, connection: number): void {
  abortFuse(connection);
  for (const program of unmountPrograms()) {
    const { pid } = spawnSync(program, [...endFlags(), "--", folder], { stdio: "ignore", timeout: 5000 });
    // Else there is no such program.
    if (pid !== 0) return;
  }
}

// Root's umount aborts it by itself.
const endFlags = (): readonly string[] => (isRoot() ? ["-i", "-c", "-f", "-l"] : ["-u", "-q", "-z"]);

function abortFuse(connection: number): void {
  try {
    writeFileSync(`/sys/fs/fuse/connections/${connection}/abort`, "1");
  } catch {
    // It has ended by itself, or there is no such file system here.
  }
}
