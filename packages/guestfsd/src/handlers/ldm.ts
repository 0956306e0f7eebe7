import { readdirSync } from "node:fs";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mapperDevice } from "../device-mapper.ts";
import { run } from "../exec.ts";

/** Runs ldmtool(1), whose answers are JSON. */
function ldmtool(...argv: readonly string[]): unknown {
  const { stdout } = run(["ldmtool", ...argv]);
  try {
    return JSON.parse(stdout.toString("utf8"));
  } catch (error) {
    throw new DaemonError("ldmtool: the answer is not JSON", "", { cause: error });
  }
}

function texts(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new DaemonError("ldmtool: a list is missing in the answer");
}

function member(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? (object as Record<string, unknown>)[name] : undefined;
}

function text(object: unknown, name: string): string {
  const value = member(object, name);
  if (typeof value === "string") return value;
  throw new DaemonError(`ldmtool: '${name}' is missing in the answer`);
}

const showDiskGroup = (diskgroup: string): unknown => ldmtool("show", "diskgroup", diskgroup);
const showVolume = (diskgroup: string, volume: string): unknown => ldmtool("show", "volume", diskgroup, volume);

/** The devices that libldm has made, by the begin of their names. */
function mapperDevices(prefix: string): string[] {
  return readdirSync("/dev/mapper")
    .filter((name) => name.startsWith(prefix))
    .map((name) => `/dev/mapper/${name}`)
    .filter((path) => mapperDevice(path)?.uuid.startsWith("LDM-"))
    .toSorted();
}

/** Dynamic disks of Windows. */
export const ldm: HandlersOf<"ldm"> = {
  ldmtool_create_all() {
    run(["ldmtool", "create", "all"]);
  },
  ldmtool_remove_all() {
    run(["ldmtool", "remove", "all"]);
  },
  ldmtool_scan: () => texts(ldmtool("scan")),
  ldmtool_scan_devices: ({ devices }) => texts(ldmtool("scan", ...devices)),
  ldmtool_diskgroup_name: ({ diskgroup }) => text(showDiskGroup(diskgroup), "name"),
  ldmtool_diskgroup_volumes: ({ diskgroup }) => texts(member(showDiskGroup(diskgroup), "volumes")),
  ldmtool_diskgroup_disks: ({ diskgroup }) => texts(member(showDiskGroup(diskgroup), "disks")),
  ldmtool_volume_type: ({ diskgroup, volume }) => text(showVolume(diskgroup, volume), "type"),
  ldmtool_volume_hint({ diskgroup, volume }) {
    const hint = member(showVolume(diskgroup, volume), "hint");
    return typeof hint === "string" ? hint : "";
  },
  ldmtool_volume_partitions: ({ diskgroup, volume }) => texts(member(showVolume(diskgroup, volume), "partitions")),
  list_ldm_volumes: () => mapperDevices("ldm_vol_"),
  list_ldm_partitions: () => mapperDevices("ldm_part_"),
};
