import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { chooseAccelerator, findProgram, qemuCapabilities } from "@guestfs/qemu";
import { messageOf } from "./appliance-error.ts";
import { findKernel } from "./kernel.ts";
import type { ApplianceOptions } from "./running-appliance.ts";
import { recentFailures } from "./template-failures.ts";

/** Something that was looked for: what is there, or why it is not. */
export interface Finding {
  /** One line. */
  readonly text: string;
  readonly ok: boolean;
  /** What to do about it, when there is something. */
  readonly fix?: string;
}

/** What this host has for appliances. */
export interface HostReport {
  readonly qemu: Finding;
  readonly kernel: Finding;
  readonly accelerator: Finding;
  readonly cache: Finding;
  readonly template: Finding;
  readonly node: Finding;
}

async function finding(look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const { summary, fix } = error as { summary?: string; fix?: string };
    const text = summary ?? messageOf(error);
    return fix === undefined || fix === "" ? { text, ok: false } : { text, ok: false, fix };
  }
}

/** Bytes that a folder's files take on the disk. */
async function bytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesOf(path);
    else bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return bytes;
}

const inMiB = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

async function cacheFinding(store: string): Promise<Finding> {
  const { uid, mode } = await lstat(store);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0)
    return {
      text: `${store} belongs to another user or can be written by others`,
      ok: false,
      fix: "remove it, or set LIBGUESTFS_CACHEDIR",
    };
  const { bavail, bsize } = await statfs(store);
  return { text: `${store}: ${inMiB(await bytesOf(store))} used, ${inMiB(bavail * bsize)} left`, ok: true };
}

async function templateFinding(store: string): Promise<Finding> {
  const names = (await readdir(store)).filter((name) => /^template-[0-9a-f]+$/.test(name));
  const failed = await recentFailures(store);
  if (failed.length > 0)
    return {
      text: `${names.length} saved; saving or restoring failed lately: see ${failed[0]}`,
      ok: false,
    };
  if (names.length === 0)
    return {
      text: "none yet: the next two launches make it, which takes a boot's time each",
      ok: true,
      fix: "guestfs-appliance build",
    };
  const sizes = await Promise.all(names.map((name) => bytesOf(join(store, name))));
  return { text: `${names.length} saved (${sizes.map(inMiB).join(", ")})`, ok: true };
}

/** Certificates are read before a program's first line runs, so nothing in it helps. */
function nodeFinding({ NODE_EXTRA_CA_CERTS: certificates = "" }: NodeJS.ProcessEnv): Finding {
  const text = `version ${process.versions.node}`;
  if (certificates === "") return { text, ok: true };
  return {
    text: `${text}; each program reads the certificates of NODE_EXTRA_CA_CERTS when it starts: 0.1 s for a distribution's`,
    ok: false,
    fix: "unset NODE_EXTRA_CA_CERTS where programs are run that need none",
  };
}

/** Looks at what this host has for appliances; starts nothing but a test of KVM that takes a moment. Never rejects. */
export async function reportHost(options: ApplianceOptions): Promise<HostReport> {
  const { hv = "qemu-system-x86_64", cacheDir } = options;
  const store = join(cacheDir, "appliance");
  return {
    qemu: await finding(async () => {
      const path = await findProgram(hv).catch((error: unknown) => {
        throw Object.assign(error as Error, { fix: "sudo apt-get install qemu-system-x86" });
      });
      const { version } = await qemuCapabilities(hv, store);
      return { text: `${path}, version ${version}`, ok: true };
    }),
    kernel: await finding(async () => {
      const { image } = findKernel();
      return { text: image, ok: true };
    }),
    accelerator: await finding(async () => {
      const { accelerator, reason } = await chooseAccelerator({ qemu: hv, cacheDir: store });
      if (accelerator === "kvm") return { text: `KVM: ${reason}`, ok: true };
      return {
        text: `no KVM, so QEMU translates (TCG): ${reason}`,
        ok: false,
        fix: "a machine, or a virtual machine with nested virtualisation, where /dev/kvm works is some 5 to 10 times faster",
      };
    }),
    cache: await finding(() => cacheFinding(store)),
    template: await finding(() => templateFinding(store)),
    node: nodeFinding(process.env),
  };
}
