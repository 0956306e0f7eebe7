import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { logicalVolumeName, mapperDevice } from "../device-mapper.ts";
import {
  logicalVolumes,
  lvm as command,
  lvmReport,
  lvmValue,
  physicalVolumes,
  setLvmFilter,
  volumeGroups,
} from "../lvm.ts";
import { removeAllVolumes } from "../lvm-removal.ts";
import { withScratchFolder } from "../scratch-folder.ts";
import { lvmLv, lvmPv, lvmVg } from "./lvm-struct.ts";

function checkPercentage(percent: number): void {
  if (percent < 0 || percent > 100) throw new DaemonError(`${percent}: a percentage must be from 0 to 100`);
}

function activate(context: Context, on: boolean, groups: readonly string[]): void {
  command(context, "vgchange", "-a", on ? "y" : "n", "--", ...groups);
  if (on) command(context, "vgscan", "--mknodes");
}

/** Limits LVM to some devices: volumes on the others go, those on these come back. */
function changeFilter(context: Context, devices: readonly string[] | undefined): void {
  command(context, "vgchange", "-a", "n");
  setLvmFilter(context, devices);
  command(context, "vgchange", "-a", "y");
}

/** Logical volumes, volume groups and physical volumes. */
export const lvm: HandlersOf<"lvm"> = {
  is_lv({ mountable }) {
    if (!mountable.startsWith("/dev/")) return false;
    const device = mapperDevice(mountable);
    return device !== undefined && logicalVolumeName(device) !== undefined;
  },
  lvm_canonical_lv_name({ lvname }) {
    if (!lvname.startsWith("/dev/")) throw new DaemonError(`${lvname}: not the name of a device`);
    if (!existsSync(lvname)) throw new DaemonError(`${lvname}: No such file or directory`, "ENOENT");
    const device = mapperDevice(lvname);
    const name = device && logicalVolumeName(device);
    if (name === undefined) throw new DaemonError(`${lvname}: not a logical volume`, "EINVAL");
    return name;
  },

  pvcreate({ device }, context) {
    command(context, "pvcreate", "--force", "--yes", "--", device);
  },
  pvremove({ device }, context) {
    command(context, "pvremove", "-ff", "--yes", "--", device);
  },
  pvresize({ device }, context) {
    command(context, "pvresize", "--", device);
  },
  pvresize_size({ device, size }, context) {
    if (size < 0) throw new DaemonError(`${size}: a size can't be negative`);
    command(context, "pvresize", "--yes", "--setphysicalvolumesize", `${size}b`, "--", device);
  },
  pvchange_uuid({ device }, context) {
    command(context, "pvchange", "-u", "--", device);
  },
  pvchange_uuid_all(_, context) {
    command(context, "pvchange", "-u", "-a");
  },
  pvs: (_, context) => physicalVolumes(context),
  pvs_full: (_, context) => lvmPv(context),
  pvuuid: ({ device }, context) => lvmValue(context, "pvs", "pv_uuid", device),

  vgcreate({ volgroup, physvols }, context) {
    command(context, "vgcreate", "--yes", "--", volgroup, ...physvols);
  },
  vgremove({ vgname }, context) {
    command(context, "vgremove", "--force", "--yes", "--", vgname);
  },
  vgrename({ volgroup, newvolgroup }, context) {
    command(context, "vgrename", "--", volgroup, newvolgroup);
  },
  vgchange_uuid({ vg }, context) {
    command(context, "vgchange", "-u", "--", vg);
  },
  vgchange_uuid_all(_, context) {
    command(context, "vgchange", "-u");
  },
  vg_activate({ activate: on, volgroups }, context) {
    activate(context, on, volgroups);
  },
  vg_activate_all({ activate: on }, context) {
    activate(context, on, []);
  },
  vgs: (_, context) => volumeGroups(context),
  vgs_full: (_, context) => lvmVg(context),
  vguuid: ({ vgname }, context) => lvmValue(context, "vgs", "vg_uuid", vgname),
  vgpvuuids: ({ vgname }, context) => uuidsIn(context, vgname, "pv_uuid"),
  vglvuuids: ({ vgname }, context) => uuidsIn(context, vgname, "lv_uuid"),
  vgmeta({ vgname }, context) {
    return withScratchFolder(context.state, (folder) => {
      const file = join(folder, "metadata");
      command(context, "vgcfgbackup", "-f", file, "--", vgname);
      if (statSync(file).size >= 4 * 1024 * 1024) throw new DaemonError(`${vgname}: metadata over 4 MiB`, "EFBIG");
      return readFileSync(file);
    });
  },

  lvcreate({ logvol, volgroup, mbytes }, context) {
    command(context, "lvcreate", "--yes", "-L", `${mbytes}m`, "-n", logvol, "--", volgroup);
  },
  lvcreate_free({ logvol, volgroup, percent }, context) {
    checkPercentage(percent);
    command(context, "lvcreate", "--yes", "-l", `${percent}%FREE`, "-n", logvol, "--", volgroup);
  },
  lvremove({ device }, context) {
    command(context, "lvremove", "--force", "--yes", "--", device);
  },
  lvrename({ logvol, newlogvol }, context) {
    command(context, "lvrename", "--", logvol, newlogvol);
  },
  lvresize({ device, mbytes }, context) {
    command(context, "lvresize", "--force", "-L", `${mbytes}m`, "--", device);
  },
  lvresize_free({ lv, percent }, context) {
    checkPercentage(percent);
    command(context, "lvresize", "-l", `+${percent}%FREE`, "--", lv);
  },
  lvs: (_, context) => logicalVolumes(context),
  lvs_full: (_, context) => lvmLv(context),
  lvuuid: ({ device }, context) => lvmValue(context, "lvs", "lv_uuid", device),

  lvm_set_filter({ devices }, context) {
    changeFilter(context, devices);
  },
  lvm_clear_filter(_, context) {
    changeFilter(context, undefined);
  },
  lvm_remove_all(_, context) {
    removeAllVolumes(context);
  },
  lvm_scan({ activate: on }, context) {
    // Nothing is kept between commands: each one scans. What is left to do is to switch on what is found.
    if (on) command(context, "vgchange", "-a", "ay");
    command(context, "vgscan", "--mknodes");
  },
  vgscan(_, context) {
    command(context, "vgscan", "--mknodes");
  },
};

function uuidsIn(context: Context, group: string, field: string): string[] {
  return lvmReport(context, "vgs", [field], "--", group)
    .map((row) => row[field] ?? "")
    .filter((uuid) => uuid !== "");
}
