import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { ApplianceError } from "./appliance-error.ts";
import { lookAt, namesIn } from "./look.ts";

/** A kernel of the host with its modules. */
export interface HostKernel {
  /** Release, as `uname -r` prints it: `6.1.0-18-amd64`. */
  version: string;
  /** Path of the compressed image. */
  image: string;
  /** Folder of its modules, with `modules.dep`. */
  modules: string;
  /** Changes when the image or the modules have. */
  stamp: string;
}

/** Where kernels are looked for. */
export interface KernelFolders {
  /** Default `/boot`. */
  boot?: string;
  /** Default `/lib/modules`. */
  modules?: string;
}

/** Orders kernel releases: numbers by value, the rest by characters. */
export function compareReleases(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x = "", y = ""] = [left[i], right[i]];
    if (x === y) continue;
    const [m, n] = [Number(x), Number(y)];
    if (Number.isInteger(m) && Number.isInteger(n) && x !== "" && y !== "") return m - n;
    return x < y ? -1 : 1;
  }
  return 0;
}

/**
 * The newest kernel in `/boot` that has modules and that we may read.
 *
 * @throws ApplianceError of stage `host` that names the command which mends it: no kernel installed, or none readable
 */
export function findKernel(folders: KernelFolders = {}): HostKernel {
  const { boot = "/boot", modules: modulesFolder = "/lib/modules" } = folders;
  const versions = namesIn(boot)
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length))
    .sort(compareReleases)
    .reverse();
  const unreadable: string[] = [];
  for (const version of versions) {
    const image = join(boot, `vmlinuz-${version}`);
    const modules = join(modulesFolder, version);
    const dependencies = lookAt(join(modules, "modules.dep"));
    if (dependencies === undefined) continue;
    try {
      accessSync(image, constants.R_OK);
    } catch {
      unreadable.push(image);
      continue;
    }
    const { size, mtimeMs } = statSync(image);
    const stamp = [size, Math.trunc(mtimeMs), dependencies.size, Math.trunc(dependencies.mtimeMs)].join(" ");
    return { version, image, modules, stamp };
  }
  const [first] = unreadable;
  if (first !== undefined) {
    throw new ApplianceError({
      stage: "host",
      message: `the appliance boots this host's kernel, and ${first} can't be read by this user`,
      fix: `sudo chmod 0644 ${first}`,
    });
  }
  throw new ApplianceError({
    stage: "host",
    message: `the appliance needs a Linux kernel, and there is none in ${boot} with modules in ${modulesFolder}`,
    evidence: versions.length === 0 ? "" : `without modules: ${versions.join(", ")}`,
    fix: "sudo apt-get install linux-image-amd64",
  });
}
