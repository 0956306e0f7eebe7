/** Modules that the initial RAM disk loads, in this order; one that is built in, absent or refused by the processor is skipped. */
export const bootModules: readonly string[] = [
  // checksums first: erofs and sd_mod ask for them by name while they are loaded
  ...["crc32c-intel", "crc32c_generic", "crct10dif_generic"],
  ...["virtio_pci", "virtio_blk", "virtio_console", "erofs", "overlay", "virtio_scsi", "sd_mod"],
];

/** Folders and files below `kernel/` of the modules that the appliance has at hand for later. */
export const guestModulePaths: readonly string[] = [
  ...[
    "arch",
    "crypto",
    "fs",
    "lib",
    "drivers/md",
    "drivers/block",
    "drivers/scsi",
    "drivers/virtio",
    "drivers/nvdimm",
    "drivers/cdrom",
  ],
  ...[
    "drivers/char/virtio_console",
    "drivers/char/hw_random/virtio-rng",
    "drivers/net/virtio_net",
    "drivers/net/net_failover",
  ],
  ...["net/core/failover", "net/packet/af_packet"],
];

const moduleName = (path: string): string =>
  (path.split("/").at(-1) ?? "").replace(/\.ko(\.(xz|zst|gz))?$/, "").replaceAll("-", "_");

/** A module file with those that must be loaded before it. */
export interface ModuleFile {
  /** Path below the folder of `modules.dep`. */
  path: string;
  /** Paths of all modules it needs. */
  needs: readonly string[];
}

/**
 * The files of `names` and of all they need, from the text of a `modules.dep` (depmod(8), modules.dep(5)). Names may be written with `-`
 * or `_`; those not listed are left out.
 */
export function moduleFiles(modulesDep: string, names: readonly string[]): ModuleFile[] {
  const byPath = new Map<string, string[]>();
  const byName = new Map<string, string>();
  for (const line of modulesDep.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    const path = line.slice(0, colon);
    byPath.set(
      path,
      line
        .slice(colon + 1)
        .split(" ")
        .filter((word) => word !== ""),
    );
    byName.set(moduleName(path), path);
  }
  const found = new Map<string, ModuleFile>();
  for (const name of names) {
    const path = byName.get(moduleName(name));
    if (path === undefined) continue;
    const needs = byPath.get(path) ?? [];
    for (const needed of needs) found.set(needed, { path: needed, needs: byPath.get(needed) ?? [] });
    found.set(path, { path, needs });
  }
  return [...found.values()];
}

/** A device file whose opening makes the kernel load a module. */
export interface StaticNode {
  /** Path below `/dev`. */
  path: string;
  major: number;
  minor: number;
}

/** The character devices of a `modules.devname` (written by depmod(8)): `loop-control`, `fuse`, `btrfs-control`, `mapper/control`, ... */
export function staticNodes(modulesDevname: string): StaticNode[] {
  const nodes: StaticNode[] = [];
  for (const line of modulesDevname.split("\n")) {
    const match = /^\S+ ([A-Za-z0-9_/-]+) c(\d+):(\d+)$/.exec(line);
    if (match !== null) nodes.push({ path: match[1] ?? "", major: Number(match[2]), minor: Number(match[3]) });
  }
  return nodes;
}
