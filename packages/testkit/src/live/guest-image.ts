import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  acquireCacheLock,
  buildFolder,
  copyModules,
  decompressKernel,
  findSource,
  initialRamDisk,
  removeDrafts,
} from "@guestfs/appliance/internal";
import type { HostSource } from "@guestfs/appliance/internal";
import { bootModules, guestFiles, guestPackages, guestSuite, initScript } from "./guest-files.ts";
import type { GuestDaemon } from "./guest-files.ts";
import { runProgram } from "./run-program.ts";

/** A machine that can be started. */
export interface GuestImage {
  /** Raw image of an ext4 filesystem. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

const project = fileURLToPath(new URL("../../../..", import.meta.url));
const bundleFolder = join(project, "packages/guestfsd/dist/bundle");
const debianFolder = join(project, "packages/guestfsd/debian");

// Raise it when the way of building changes in a manner that the digests don't see.
const BUILD_VERSION = 1;

const digestOf = (...parts: readonly unknown[]): string =>
  createHash("sha256")
    .update(JSON.stringify([BUILD_VERSION, ...parts]))
    .digest("hex")
    .slice(0, 16);

async function digestOfFolder(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of files.sort()) hash.update(`${path.slice(folder.length)}\0`).update(await readFile(path));
  return hash.digest("hex");
}

async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${Math.trunc(mtimeMs)}`;
}

/** Where machines are kept: beside the appliances. */
function storeFolder(): string {
  const cache =
    process.env.LIBGUESTFS_CACHEDIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "guestfs");
  return join(cache, "live-machine");
}

/**
 * Gives the machine's image, and builds it when there is none or its ingredients changed: a Debian root made by
 * mmdebstrap (kept, since its download takes longest), the daemon, this host's kernel. Needs root.
 * @param onStep - told what is being done, when something is
 */
export async function buildGuestImage(
  daemon: GuestDaemon,
  onStep: (step: string) => void = () => {},
): Promise<GuestImage> {
  const store = storeFolder();
  await mkdir(store, { recursive: true, mode: 0o700 });
  const source = await findSource();
  const base = `base-${digestOf(guestSuite, guestPackages)}.tar`;
  const own =
    daemon === "own"
      ? [await digestOfFolder(bundleFolder), await digestOfFolder(debianFolder), await stampOf(process.execPath)]
      : [];
  const name = `${daemon}-${digestOf(base, guestFiles(daemon), bootModules, initScript, source.kernel.stamp, own)}`;
  const image: GuestImage = {
    disk: join(store, name, "disk"),
    kernel: join(store, name, "kernel"),
    initrd: join(store, name, "initrd"),
  };
  if (existsSync(image.disk)) return image;
  const lock = await acquireCacheLock(join(store, "lock"), () =>
    onStep("waiting for another program that builds a machine"),
  );
  try {
    if (existsSync(image.disk)) return image;
    await removeDrafts(store);
    await removeReplaced(store, daemon, base);
    if (!existsSync(join(store, base))) {
      onStep(`making a Debian root of ${guestPackages.length} packages and what they need`);
      await makeBase(join(store, base));
    }
    onStep(`making a machine with the ${daemon} daemon`);
    await buildFolder(store, name, (draft) => fill(draft, join(store, base), daemon, source));
    return image;
  } finally {
    await lock.release();
  }
}

/** Removes what was built from other ingredients, but nothing that a running test may have just asked for. */
async function removeReplaced(store: string, daemon: GuestDaemon, base: string): Promise<void> {
  for (const name of await readdir(store)) {
    const isOld = name.startsWith(`${daemon}-`) || (name.startsWith("base-") && name !== base);
    if (!isOld || (await stat(join(store, name))).mtimeMs > Date.now() - 30 * 60_000) continue;
    await rm(join(store, name), { recursive: true, force: true });
  }
}

async function makeBase(path: string): Promise<void> {
  const without = ["man", "doc", "locale", "info"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`);
  const draft = `${path}.${process.pid}.tar`;
  try {
    const include = `--include=${guestPackages.join(",")}`;
    await runProgram("mmdebstrap", "--quiet", "--variant=essential", include, ...without, guestSuite, draft);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function fill(draft: string, base: string, daemon: GuestDaemon, { kernel, busybox }: HostSource): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "live-root-"));
  try {
    await chmod(root, 0o755);
    await runProgram("tar", "-x", "-f", base, "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*");
    for (const [path, text] of Object.entries(guestFiles(daemon))) await placeFile(join(root, path), text);
    if (daemon === "own") await installOwn(root, draft);
    await copyModules(kernel, join(root, "usr"));
    // What was made now is up to date: the machine need not see to it at its first boot.
    for (const path of ["etc/.updated", "var/.updated"]) await writeFile(join(root, path), "");
    await utimes(join(root, "usr"), 0, 0);
    await runProgram("truncate", "--size=2G", join(draft, "disk.part"));
    await runProgram("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", "-d", root, join(draft, "disk.part"));
    const compressed = await readFile(kernel.image);
    await writeFile(join(draft, "kernel"), (await decompressKernel(compressed)) ?? compressed);
    await writeFile(
      join(draft, "initrd"),
      await initialRamDisk(kernel, { modules: bootModules, script: initScript, busybox }),
    );
    await rename(join(draft, "disk.part"), join(draft, "disk"));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function placeFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  if (text.startsWith("->")) await symlink(text.slice(2), path);
  else await writeFile(path, text);
}

async function installOwn(root: string, folder: string): Promise<void> {
  const made = await runProgram(process.execPath, join(project, "scripts/deb.mjs"), "--uncompressed", folder);
  const inside = "tmp/guestfsd-live.deb";
  await rename(made.trim(), join(root, inside)).catch(() => runProgram("mv", made.trim(), join(root, inside)));
  await runProgram("chroot", root, "dpkg", "--remove", "guestfsd");
  await runProgram("chroot", root, "dpkg", "--install", `/${inside}`);
  await rm(join(root, inside));
}
