import { closeSync } from "node:fs";
import { camelCase } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { arrays, partitionNames, wholeDrives } from "./block-device.ts";
import type { DaemonState } from "./daemon-state.ts";
import { run } from "./exec.ts";
import { groupIsAvailable } from "./groups.ts";
import { probeMember } from "./native/blkid.ts";
import { memoryFile } from "./native/memory-file.ts";
import { descriptorPath } from "./sysroot.ts";

const startedKey = Symbol("volumes started");

/**
 * What the calls of a procedure have to do with volumes that have to be started: nothing, something, or something only when what they
 * mount, or one of the arguments named, can be on one.
 */
export type VolumeUse = "none" | "any" | "mountable" | readonly string[];

/** What the calls of a procedure have to do with volumes. */
export function volumeUse(row: Procedure): VolumeUse {
  // By the type that is found there, which no member of a volume has that can be mounted.
  if (/^mount(?:_ro|_options)?$/.test(row.name)) return "mountable";
  if (row.group === "lvm2" || row.group === "mdadm" || row.group === "ldm") return "any";
  if (/^(?:list_|findfs_|inspect_|swapon_|lvs|vgs|pvs|blkid$)/.test(row.name)) return "any";
  // A program may look for them, and nothing tells.
  if (/^(?:command|debug|sh)(?:$|_(?:lines|out)$)/.test(row.name)) return "any";
  if (row.params.some(({ of }) => of === "device" || of === "mountable")) return "any";
  const either = row.params.filter(({ of }) => of === "device-or-path" || of === "mountable-or-path");
  return either.length > 0 ? either.map(({ name }) => camelCase(name)) : "none";
}

const guestPath = /^\/(?!dev\/)/;

/** Whether a call needs volumes. A drive or a partition of one is there without, and a path of the guest is on what was mounted before. */
export function needsVolumes(use: VolumeUse, args: Readonly<Record<string, unknown>>): boolean {
  if (use === "none" || use === "any") return use === "any";
  if (use !== "mountable") return use.some((name) => !guestPath.test(String(args[name])));
  const { mountable, options } = args;
  // Options may name another device: a journal's.
  return !/^\/dev\/sd[a-z]+\d*$/.test(String(mountable)) || String(options).includes("/dev/");
}

/** The devices that hold members of volumes among drives or arrays and their partitions, by libblkid's name of what they are. */
function membersOf(drives: readonly string[]): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const drive of drives) {
    const partitions = partitionNames(drive);
    for (const name of partitions.length > 0 ? partitions : [drive]) {
      const device = `/dev/${name}`;
      try {
        const type = probeMember(device);
        members.set(type, [...(members.get(type) ?? []), device]);
      } catch {
        // What can't be read holds no volume that could be started.
      }
    }
  }
  return members;
}

// A failure is told by the call that misses the volume.
const failing = { accept: "any" } as const;

/**
 * Assembles the arrays that members are of, and arrays of those. They are named because metadata 0.90 of a partition that ends with its
 * drive looks like the drive's too, and mdadm, which would find both, would take neither.
 */
function assembleArrays(members: readonly string[]): void {
  const config = memoryFile(Buffer.from(`DEVICE ${members.join(" ")} /dev/md*\n`));
  try {
    run(["mdadm", "--assemble", "--scan", "--run", `--config=${descriptorPath(config)}`], {
      ...failing,
      inherit: [config],
    });
  } finally {
    closeSync(config);
  }
}

/**
 * What udev's rules and an init system do where a machine starts: assembles the RAID arrays and activates the volume groups that the
 * drives hold. Once in a conversation, before the first call that needs them; never outside of the appliance.
 */
export function startVolumes(state: DaemonState): void {
  if (!state.options.appliance || state.get<boolean>(startedKey)) return;
  state.keep(startedKey, true, () => {});
  const members = membersOf(wholeDrives({ state }));
  let hasGroups = members.has("LVM2_member");
  const raid = members.get("linux_raid_member");
  if (raid && groupIsAvailable("mdadm")) {
    assembleArrays(raid);
    hasGroups ||= membersOf(arrays()).has("LVM2_member");
  }
  if (hasGroups && groupIsAvailable("lvm2")) {
    const config = ["--config", 'devices{hints="none"}'];
    run(["lvm", "vgchange", ...config, "--activate", "ay", "--sysinit"], failing);
    run(["lvm", "vgscan", ...config, "--mknodes"], failing);
  }
}
