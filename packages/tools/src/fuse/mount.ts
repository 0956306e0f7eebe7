import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ToolError } from "../tool-error.ts";

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
  /** Options for the kernel. */
  readonly options: readonly string[];
}

/**
 * Mounts a FUSE file system on a folder.
 * @returns descriptor of /dev/fuse, on which the kernel's requests come
 * @throws ToolError
 */
export async function mountFuse({ folder, source, options }: MountPoint): Promise<number> {
  if (process.geteuid?.() !== 0) {
    // Only a program that is more than this user may mount; it hands the descriptor over.
    const { receiveFuseDescriptor } = await import("guestfsd/fuse-descriptor");
    try {
      return await receiveFuseDescriptor(folder, [`fsname=${source}`, "subtype=guestmount", ...options]);
    } catch (error) {
      throw new ToolError((error as Error).message, { cause: error });
    }
  }
  let fd: number;
  try {
    fd = openSync("/dev/fuse", "r+");
  } catch (error) {
    throw new ToolError(`/dev/fuse can't be opened: ${(error as Error).message}\nTo fix it: modprobe fuse`, {
      cause: error,
    });
  }
  const all = ["fd=3", "rootmode=40000", "user_id=0", "group_id=0", "nosuid", "nodev", ...options];
  const { status, message } = await run(
    "mount",
    ["-i", "-n", "-t", "fuse.guestmount", "-o", all.join(","), "--", source, folder],
    [fd],
  );
  if (status === 0) return fd;
  closeSync(fd);
  throw new ToolError(`${folder} can't be mounted on: ${message}`);
}

/** Undoes the escapes of mountinfo (proc(5)). */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** The source of what is mounted on a folder, the last mounted one; `undefined` when nothing is. */
export async function mountedOn(folder: string): Promise<string | undefined> {
  const table = await readFile("/proc/self/mountinfo", "latin1");
  const wanted = Buffer.from(folder).toString("latin1");
  let source: string | undefined;
  for (const line of table.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-");
    if (dash > 0 && unescape(fields[4] ?? "") === wanted) source = unescape(fields[dash + 2] ?? "");
  }
  return source;
}

/**
 * Unmounts a folder.
 * @param lazy - now, whoever uses it still
 * @returns what stands in the way, `""` when it is unmounted
 */
export async function unmountFuse(folder: string, lazy = false): Promise<string> {
  const isRoot = process.geteuid?.() === 0;
  const programs = isRoot ? ["umount"] : ["fusermount3", "fusermount"];
  for (const program of programs) {
    const flags = isRoot ? ["-i", ...(lazy ? ["-l"] : [])] : ["-u", ...(lazy ? ["-z"] : [])];
    try {
      const { status, message } = await run(program, [...flags, "--", folder], []);
      return status === 0 ? "" : message;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new ToolError(`there is no ${programs[0]} here\nTo fix it: apt install fuse3`);
}
