import { createHash } from "node:crypto";
import { guestPackages, unpackedWithout } from "./packages.ts";
import { cpioArchive } from "./cpio.ts";
import { devFolders, devLinks, fstab, initScript, startScript } from "./guest-scripts.ts";
import { bootModules, guestModulePaths } from "./kernel-modules.ts";
import { rootFiles, rootFolders, rootLinks } from "./root-files.ts";

/** What the host has that goes into an appliance. */
export interface HostFacts {
  /** `x64`: as node's `process.arch`. */
  arch: string;
  /** `ID` and `VERSION_ID` of os-release(5): `debian 12`. */
  distribution: string;
  /** Release of the kernel to boot. */
  kernelVersion: string;
  /** Changes when the kernel or its modules do. */
  kernelStamp: string;
  /** Changes when the node that runs the daemon does. */
  nodeStamp: string;
  /** Changes when busybox does. */
  busyboxStamp: string;
  /** Digest of the daemon's bundle. */
  daemonDigest: string;
}

/** What to build; two plans with equal digests give the same appliance. */
export interface AppliancePlan {
  /** The root image: files of Debian packages. Its digest does not cover the packages' versions, see `RootRecord`. */
  root: { packages: readonly string[]; without: readonly string[]; digest: string };
  /** The system image, kernel and initial RAM disk. */
  system: { kernelVersion: string; modules: readonly string[]; bootModules: readonly string[]; digest: string };
}

// Part of every digest: raise it when the way of building changes in a manner that the plan does not show.
const BUILD_VERSION = 2;

const digestOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 24);

/** Decides what the appliance is made of. Pure: the same facts give the same plan. */
export function planAppliance(facts: HostFacts): AppliancePlan {
  const root = { packages: guestPackages, without: unpackedWithout };
  const system = { kernelVersion: facts.kernelVersion, modules: guestModulePaths, bootModules };
  const scripts = [initScript(), startScript(""), fstab, devLinks, devFolders];
  return {
    root: {
      ...root,
      digest: digestOf([BUILD_VERSION, facts.arch, facts.distribution, root, rootFiles, rootFolders, rootLinks]),
    },
    system: { ...system, digest: digestOf([BUILD_VERSION, facts, system, scripts, cpioArchive([]).length]) },
  };
}
