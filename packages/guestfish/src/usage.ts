import { optionTable } from "./option-table.ts";
import type { GuestfishOption } from "./option-table.ts";

/** What `--help` prints. */
export function usage(): string {
  const lines = optionTable.filter(({ summary }) => summary !== undefined).map(describe);
  return [
    "guestfish looks at and changes what is inside the disks of virtual machines.",
    "",
    "Usage: guestfish [options] command [: command ...]",
    "       guestfish [options] < script",
    "       guestfish [options]            at a terminal: asks for commands",
    "",
    ...lines,
    "",
    "A disk of which you know nothing but its name:",
    "  guestfish --ro -a disk.img -i",
    "or, where -i finds no operating system:",
    "  guestfish --ro -a disk.img run : list-filesystems",
    "",
    "Use --ro for every disk that you don't mean to change, and for those of a running machine always.",
    "",
  ].join("\n");
}

function describe({ short, long, metavar, argument, summary = "" }: GuestfishOption): string {
  const value =
    metavar === undefined ? "" : argument === "optional" && long !== "cmd-help" ? `[=${metavar}]` : ` ${metavar}`;
  const names = `  ${[short === undefined ? undefined : `-${short}`, long === undefined ? undefined : `--${long}`].filter((name) => name !== undefined).join("|")}${value}`;
  return names.length < 27 ? `${names.padEnd(27)} ${summary}` : `${names}\n${" ".repeat(28)}${summary}`;
}

/** The options of one kind, a line each, for programs that complete command lines. */
export function optionNames(kind: "long" | "short"): string {
  const names = optionTable
    .filter(({ long }) => long !== "long-options" && long !== "short-options")
    .map((option) => (kind === "long" ? option.long && `--${option.long}` : option.short && `-${option.short}`));
  return [...new Set(names)]
    .filter((name) => name !== undefined)
    .map((name) => `${name}\n`)
    .join("");
}
