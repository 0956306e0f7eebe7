import { chmod, cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { runOwned, spawnOwned } from "@guestfs/qemu";
import { erofsImage } from "./erofs-image.ts";
import { fstab, initScript, nodeOptions, startScript } from "./guest-scripts.ts";
import { initialRamDisk } from "./initial-ram-disk.ts";
import { decompressKernel } from "./kernel-image.ts";
import { bootModules, guestModulePaths } from "./kernel-modules.ts";
import type { HostKernel } from "./kernel.ts";

/** What {@link buildSystem} works with. */
export interface SystemInput {
  kernel: HostKernel;
  /** Path of the node that runs the daemon. */
  node: string;
  /** Path of a busybox without shared libraries. */
  busybox: string;
  /** Folder of the daemon's bundle. */
  daemonBundle: string;
  /** Folder to fill with `kernel`, `initrd` and `system.erofs`. */
  folder: string;
  signal?: AbortSignal | undefined;
}

const COMPILE_MS = 30_000;
// Libraries that the root image has; anything else that node is linked with goes along.
const rootLibraries = /^(ld-linux|libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)[-.]/;

/** Makes kernel, initial RAM disk and system image (node, the daemon, the kernel's modules). */
export async function buildSystem(input: SystemInput): Promise<void> {
  const { kernel, folder, signal } = input;
  const image = await readFile(kernel.image);
  await writeFile(join(folder, "kernel"), (await decompressKernel(image, signal)) ?? image);
  const contents = { modules: bootModules, script: initScript(), busybox: input.busybox };
  await writeFile(join(folder, "initrd"), await initialRamDisk(kernel, contents, signal));
  const system = join(folder, "system");
  await copyModules(kernel, join(system, "usr"), signal);
  await copyDaemon(input, join(system, "guestfsd"));
  await erofsImage(system, join(folder, "system.erofs"), signal);
  await rm(system, { recursive: true, force: true });
}

/** Copies the modules of {@link guestModulePaths} below `usr`, and indexes them. */
export async function copyModules(kernel: HostKernel, usr: string, signal?: AbortSignal): Promise<void> {
  const target = join(usr, "lib", "modules", kernel.version);
  for (const path of guestModulePaths) {
    const source = join(kernel.modules, "kernel", path);
    const found = (await stat(source).catch(() => undefined)) === undefined ? await modulesNamed(source) : [source];
    for (const file of found) {
      await cp(file, join(target, "kernel", dirname(path), basename(file)), { recursive: true });
    }
  }
  for (const name of (await readdir(kernel.modules)).filter(
    (entry) => /^modules\.(builtin|order)/.test(entry) && !entry.endsWith(".bin"),
  )) {
    await cp(join(kernel.modules, name), join(target, name));
  }
  await runOwned("depmod", ["-b", usr, kernel.version], signal === undefined ? {} : { signal });
}

async function modulesNamed(path: string): Promise<string[]> {
  const names = await readdir(dirname(path)).catch(() => []);
  return names.filter((name) => name.startsWith(`${basename(path)}.ko`)).map((name) => join(dirname(path), name));
}

async function copyDaemon(input: SystemInput, target: string): Promise<void> {
  await cp(input.daemonBundle, target, { recursive: true, dereference: true });
  await cp(input.node, join(target, "node"));
  await cp(input.busybox, join(target, "busybox"));
  await Promise.all(["node", "busybox"].map((name) => chmod(join(target, name), 0o755)));
  const libraries = await extraLibraries(input.node, input.signal);
  if (libraries.length > 0) await mkdir(join(target, "lib"));
  for (const library of libraries) await cp(library, join(target, "lib", basename(library)), { dereference: true });
  await compileDaemon(input, target);
  await writeFile(join(target, "fstab"), fstab);
  // A library path in the environment would reach the programs that the daemon runs.
  const runNode =
    libraries.length === 0
      ? "/guestfsd/node"
      : "/lib64/ld-linux-x86-64.so.2 --library-path /guestfsd/lib /guestfsd/node";
  await writeFile(join(target, "start"), startScript(runNode), { mode: 0o755 });
}

/** Has the daemon greet someone who has gone already, so that the guest need not compile what it runs until it greets. */
async function compileDaemon({ node, signal }: SystemInput, target: string): Promise<void> {
  const daemon = await spawnOwned(node, [...nodeOptions, join(target, "guestfsd.cjs"), "-c", "fd:3"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    env: { ...process.env, GUESTFS_COMPILE: "1" },
  });
  const end = (): void => daemon.kill();
  signal?.addEventListener("abort", end);
  // Without it, the guest compiles: nothing is lost but time.
  const timer = setTimeout(end, COMPILE_MS);
  (daemon.child.stdio[3] as Socket).on("error", () => undefined).end();
  await daemon.exited;
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
}

async function extraLibraries(node: string, signal: AbortSignal | undefined): Promise<string[]> {
  const { stdout } = await runOwned("ldd", [node], signal === undefined ? {} : { signal });
  const paths = [...stdout.toString("utf8").matchAll(/=> (\/\S+)/g)].map((match) => match[1] ?? "");
  return paths.filter((path) => !rootLibraries.test(basename(path)));
}
