import { structs } from "@guestfs/schema";
import type { StructMap } from "@guestfs/schema";
import type { Context } from "../context.ts";
import { lvmReport } from "../lvm.ts";

/** A report with the columns of a struct, whose names are LVM's own. */
function rowsOf(context: Context, command: string, struct: string): Record<string, string | number>[] {
  const fields = structs.find(({ name }) => name === struct)?.fields ?? [];
  return lvmReport(
    context,
    command,
    fields.map(({ name }) => name),
  ).map((row) => Object.fromEntries(fields.map(({ name, type }) => [name, convert(type, row[name] ?? "")])));
}

function convert(type: string, text: string): string | number {
  switch (type) {
    case "string":
    case "device":
      return text;
    case "uuid":
      return text.replaceAll("-", "");
    case "percent":
      return text === "" ? -1 : Number(text);
    default:
      return Number(text);
  }
}

/** Everything about the physical volumes. */
export function lvmPv(context: Context): StructMap["lvm_pv"][] {
  return rowsOf(context, "pvs", "lvm_pv") as unknown as StructMap["lvm_pv"][];
}

/** Everything about the volume groups. */
export function lvmVg(context: Context): StructMap["lvm_vg"][] {
  return rowsOf(context, "vgs", "lvm_vg") as unknown as StructMap["lvm_vg"][];
}

/** Everything about the logical volumes. */
export function lvmLv(context: Context): StructMap["lvm_lv"][] {
  return rowsOf(context, "lvs", "lvm_lv") as unknown as StructMap["lvm_lv"][];
}
