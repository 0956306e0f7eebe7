import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { runOwned } from "@guestfs/qemu";
import { cpioArchive } from "./cpio.ts";
import type { CpioMember } from "./cpio.ts";
import { devFolders, devLinks } from "./guest-scripts.ts";
import { moduleFiles, staticNodes } from "./kernel-modules.ts";
import type { HostKernel } from "./kernel.ts";

/** What an initial RAM disk does. */
export interface InitialRamDiskContents {
  /** Names of the modules that it holds, with all they need. */
  modules: readonly string[];
  /** Its `/init`, which finds `/bin/busybox`, the folders `r`, `s`, `n` and `t` to mount on, and device files in `/nodes`. */
  script: string;
  /** Path of a busybox without shared libraries. */
  busybox: string;
}

/** Makes an initial RAM disk, which Linux unpacks before it runs `/init` (Linux documentation, "ramfs, rootfs and initramfs"). */
export async function initialRamDisk(
  kernel: HostKernel,
  contents: InitialRamDiskContents,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const modulesDep = await readFile(join(kernel.modules, "modules.dep"), "utf8");
  const modules = `lib/modules/${kernel.version}`;
  const flat = (path: string): string => basename(path).replace(/\.(xz|zst|gz)$/, "");
  const files = moduleFiles(modulesDep, contents.modules);
  const members: CpioMember[] = ["bin", "lib", "lib/modules", modules, "proc", "dev", "r", "s", "n", "t"].map(
    (path) => ({ path }),
  );
  members.push({ path: "bin/busybox", contents: await readFile(contents.busybox), executable: true });
  for (const { path } of files) {
    members.push({
      path: `${modules}/${flat(path)}`,
      contents: await moduleContents(join(kernel.modules, path), signal),
    });
  }
  const dependencies = files
    .map(({ path, needs }) => `${flat(path)}:${needs.map((needed) => ` ${flat(needed)}`).join("")}\n`)
    .join("");
  members.push({ path: `${modules}/modules.dep`, contents: Buffer.from(dependencies) });
  members.push(...deviceMembers(await readFile(join(kernel.modules, "modules.devname"), "utf8").catch(() => "")));
  members.push({ path: "init", contents: Buffer.from(contents.script), executable: true });
  return cpioArchive(members);
}

function deviceMembers(modulesDevname: string): CpioMember[] {
  const nodes = staticNodes(modulesDevname);
  const folders = new Set([
    ...devFolders,
    ...nodes.filter(({ path }) => path.includes("/")).map(({ path }) => dirname(path)),
  ]);
  return [
    { path: "nodes" },
    ...[...folders].map((path) => ({ path: `nodes/${path}` })),
    ...Object.entries(devLinks).map(([path, target]) => ({ path: `nodes/${path}`, target })),
    ...nodes.map(({ path, major, minor }) => ({ path: `nodes/${path}`, device: { major, minor } })),
  ];
}

async function moduleContents(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const contents = await readFile(path);
  const program = path.endsWith(".xz")
    ? "xz"
    : path.endsWith(".zst")
      ? "zstd"
      : path.endsWith(".gz")
        ? "gzip"
        : undefined;
  if (program === undefined) return contents;
  return (await runOwned(program, ["-dc"], signal === undefined ? { input: contents } : { input: contents, signal }))
    .stdout;
}
