import type { Procedure } from "@guestfs/schema";
import { arrays, partitionNames, wholeDrives } from "./block-device.ts";
import type { DaemonState } from "./daemon-state.ts";
import { run } from "./exec.ts";
import { groupIsAvailable } from "./groups.ts";
import { probeType } from "./native/blkid.ts";

const startedKey = Symbol("volumes started");

const known = new Map<Procedure, boolean>();

/** Every call asks, until the answer was yes. */
function isAbout(row: Procedure): boolean {
  let about = known.get(row);
  if (about === undefined) known.set(row, (about = concerns(row)));
  return about;
}

function concerns(row: Procedure): boolean {
  if (row.group === "lvm2" || row.group === "mdadm" || row.group === "ldm") return true;
  if (/^(?:list_|findfs_|inspect_|lvs|vgs|pvs|blkid$)/.test(row.name)) return true;
  return row.params.some(
    ({ of }) => of === "device" || of === "mountable" || of === "device-or-path" || of === "mountable-or-path",
  );
}

function typesOf(drives: readonly string[]): Set<string> {
  const types = new Set<string>();
  for (const drive of drives) {
    const partitions = partitionNames(drive);
    for (const name of partitions.length > 0 ? partitions : [drive]) {
      try {
        types.add(probeType(`/dev/${name}`));
      } catch {
        // What can't be read holds no volume that could be started.
      }
    }
  }
  return types;
}

/**
 * What udev's rules and an init system do where a machine starts: assembles the RAID arrays and activates the volume groups that the
 * drives hold. Once in a conversation, before the first call that may concern them; never outside of the appliance.
 */
export function startVolumes(row: Procedure, state: DaemonState): void {
  if (!state.options.appliance || state.get<boolean>(startedKey) || !isAbout(row)) return;
  state.keep(startedKey, true, () => {});
  const drives = wholeDrives({ state });
  const types = typesOf(drives);
  // A failure is told by the call that misses the volume.
  const options = { accept: "any" } as const;
  if (types.has("linux_raid_member") && groupIsAvailable("mdadm")) {
    run(["mdadm", "--assemble", "--scan", "--run", "--config=partitions"], options);
    for (const type of typesOf(arrays())) types.add(type);
  }
  if (types.has("LVM2_member") && groupIsAvailable("lvm2")) {
    const config = ["--config", 'devices{hints="none"}'];
    run(["lvm", "vgchange", ...config, "--activate", "ay", "--sysinit"], options);
    run(["lvm", "vgscan", ...config, "--mknodes"], options);
  }
}
