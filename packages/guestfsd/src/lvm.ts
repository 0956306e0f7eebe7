import { existsSync } from "node:fs";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";
import type { RunResult } from "./exec.ts";

const filterKey = Symbol("lvm filter");

/** One line of a report: field name to value, as text. */
export type ReportRow = Readonly<Record<string, string>>;

/** Limits LVM to the devices given, for the rest of the conversation; `undefined` lifts the limit. */
export function setLvmFilter(context: Context, devices: readonly string[] | undefined): void {
  if (devices) context.state.keep(filterKey, devices, () => {});
  else context.state.drop(filterKey);
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The LVM settings of a machine without udevd, whose metadata backups nobody reads. See lvm.conf(5). */
function configuration(devices: readonly string[] | undefined): string {
  const sections = ["backup{backup=0 archive=0}", "global{event_activation=0 use_lvmpolld=0 notify_dbus=0}"];
  // Hints of where volumes were last time are wrong where drives come and go between two commands.
  const deviceSettings = ["use_devicesfile=0", 'hints="none"'];
  if (!existsSync("/run/udev/control")) {
    sections.push("activation{udev_sync=0 udev_rules=0 monitoring=0}");
    deviceSettings.push("obtain_device_list_from_udev=0", 'external_device_info_source="none"');
  }
  if (devices) {
    const patterns = devices.map((device) => quote(`a|^${device.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&")}$|`));
    const filter = [...patterns, '"r|.*|"'].join(",");
    deviceSettings.push(`filter=[${filter}]`, `global_filter=[${filter}]`);
  }
  sections.push(`devices{${deviceSettings.join(" ")}}`);
  return sections.join(" ");
}

/** Runs a command of lvm(8). */
export function lvm(context: Context, command: string, ...operands: string[]): RunResult {
  const { state } = context;
  const config = ["--config", configuration(state.get<string[]>(filterKey))];
  // Who changes nothing can't write the files that locks are made of.
  const locking = state.guard?.readOnly ? ["--nolocking"] : [];
  return run(["lvm", command, ...config, ...locking, ...operands], {
    environment: { LVM_SUPPRESS_FD_WARNINGS: "1" },
  });
}

/**
 * Asks lvm(8) for a report.
 * @param command - `pvs`, `vgs` or `lvs`
 * @param fields - names of lvmreport(7)
 */
export function lvmReport(
  context: Context,
  command: string,
  fields: readonly string[],
  ...operands: string[]
): ReportRow[] {
  const { stdout } = lvm(
    context,
    command,
    "--reportformat=json",
    "--units=b",
    "--nosuffix",
    "--unbuffered",
    `--options=${fields.join(",")}`,
    ...operands,
  );
  const { report } = JSON.parse(stdout.toString("utf8")) as { report: Record<string, ReportRow[]>[] };
  return report.flatMap((part) => Object.values(part).flat());
}

/** The one value of a report on one thing. */
export function lvmValue(context: Context, command: string, field: string, name: string): string {
  const value = lvmReport(context, command, [field], "--", name)[0]?.[field];
  if (!value) throw new DaemonError(`${name}: no such thing is known to LVM`, "ENOENT");
  return value;
}

/** The devices of all physical volumes, without those that are missing. */
export function physicalVolumes(context: Context): string[] {
  return lvmReport(context, "pvs", ["pv_name"])
    .map((row) => row["pv_name"] ?? "")
    .filter((name) => name.startsWith("/dev/"))
    .toSorted();
}

/** The names of all volume groups. */
export function volumeGroups(context: Context): string[] {
  return lvmReport(context, "vgs", ["vg_name"])
    .map((row) => row["vg_name"] ?? "")
    .filter((name) => name !== "")
    .toSorted();
}

/** The devices of all logical volumes that are for use: not the pools and mirrors' legs behind them. */
export function logicalVolumes(context: Context): string[] {
  const usable = "lv_role=public && lv_skip_activation!=yes";
  return lvmReport(context, "lvs", ["vg_name", "lv_name"], "-S", usable)
    .map((row) => `/dev/${row["vg_name"]}/${row["lv_name"]}`)
    .toSorted();
}
