import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { lvm, lvmReport } from "./lvm.ts";

function removeGroup(context: Context, group: string): void {
  try {
    lvm(context, "vgremove", "-ff", "--yes", "--", group);
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    // A group that lacks some of its disks can only be removed after they were struck off.
    const missing = lvmReport(context, "vgs", ["vg_missing_pv_count"], "--", group)[0]?.["vg_missing_pv_count"];
    if (missing === undefined || missing === "0") throw error;
    lvm(context, "vgreduce", "--removemissing", "--force", "--yes", "--", group);
    lvm(context, "vgremove", "-ff", "--yes", "--", group);
  }
}

/** Removes all that LVM finds, from the logical volumes down to the labels of the disks. */
export function removeAllVolumes(context: Context): void {
  const rows = lvmReport(context, "pvs", ["pv_name", "vg_name"]);
  for (const group of new Set(rows.map((row) => row["vg_name"] ?? ""))) if (group !== "") removeGroup(context, group);
  const devices = rows.map((row) => row["pv_name"] ?? "").filter((name) => name.startsWith("/dev/"));
  if (devices.length > 0) lvm(context, "pvremove", "-ff", "--yes", "--", ...devices);
}
