import { createHash } from "node:crypto";
import { accessSync, constants, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { findKernel } from "./kernel.ts";
import type { HostKernel } from "./kernel.ts";
import type { HostFacts } from "./plan.ts";

/** The host's own parts of an appliance. */
export interface HostSource {
  kernel: HostKernel;
  /** Path of the node that runs the daemon. */
  node: string;
  /** Path of a busybox without shared libraries. */
  busybox: string;
}

/** Programs, and the packages they come in. */
const needed: ReadonlyMap<string, string> = new Map([
  ["apt-get", "apt"],
  ["dpkg-deb", "dpkg"],
  ["tar", "tar"],
  ["mkfs.erofs", "erofs-utils"],
  ["depmod", "kmod"],
  ["ldconfig", "libc-bin"],
  ["ldd", "libc-bin"],
  ["xz", "xz-utils"],
  ["flock", "util-linux"],
  ["busybox", "busybox-static"],
]);

/** Programs that building takes. */
export const neededPrograms: readonly string[] = [...needed.keys()];

async function find(program: string): Promise<string> {
  try {
    return await findProgram(program);
  } catch {
    throw new ApplianceError({
      stage: "host",
      message: `building the appliance needs the program ${program}, which is not installed`,
      fix: `sudo apt-get install ${needed.get(program) ?? program}`,
    });
  }
}

/**
 * Finds what the appliance is made of.
 *
 * @throws ApplianceError of stage `host`, whose `fix` says how to get what is missing
 */
export async function findSource(): Promise<HostSource> {
  return {
    kernel: findKernel(),
    node: realpathSync(process.execPath),
    busybox: realpathSync(await find("busybox")),
  };
}

/**
 * Makes sure that everything is there that an appliance is built with.
 *
 * @throws ApplianceError of stage `host`, whose `fix` says how to get what is missing
 */
export async function checkBuildPrograms({ busybox }: HostSource): Promise<void> {
  for (const program of neededPrograms) await find(program);
  if (readFileSync(busybox).includes("/lib64/ld-linux-x86-64.so.2")) {
    throw new ApplianceError({
      stage: "host",
      message: `${busybox} needs shared libraries; the appliance needs one that does not`,
      fix: "sudo apt-get install busybox-static",
    });
  }
}

const stampOf = (path: string): string => {
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${Math.trunc(mtimeMs)}`;
};

/**
 * What decides whether an appliance is still the right one. Each launch asks, and waiting for so many answers takes longer than getting
 * them.
 *
 * @throws ApplianceError of stage `build` when there is no daemon in `daemonBundle`
 */
export function factsOf({ kernel, node, busybox }: HostSource, daemonBundle: string): HostFacts {
  const release = osRelease();
  const field = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(release)?.[1] ?? "";
  return {
    arch: process.arch,
    distribution: `${field("ID")} ${field("VERSION_ID")}`,
    kernelVersion: kernel.version,
    kernelStamp: kernel.stamp,
    nodeStamp: stampOf(node),
    busyboxStamp: stampOf(busybox),
    daemonDigest: digestOfFolder(daemonBundle),
  };
}

function osRelease(): string {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    return "";
  }
}

function digestOfFolder(folder: string): string {
  try {
    accessSync(join(folder, "guestfsd.cjs"), constants.R_OK);
  } catch {
    throw new ApplianceError({
      stage: "build",
      message: `${folder} holds no daemon (guestfsd.cjs)`,
      fix: "npm run build",
    });
  }
  const hash = createHash("sha256");
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const path of paths) {
    const contents = readFileSync(path);
    hash.update(`${path.slice(folder.length)} ${contents.length}\n`).update(contents);
  }
  return hash.digest("hex");
}
