import type { WalkEntry, WalkStat } from "guestfs";

/** How the times of a file are shown. */
export type TimeStyle = "date" | "seconds" | "relative" | "days";

/** What is shown of each file. */
export interface RowOptions {
  readonly csv: boolean;
  readonly human: boolean;
  readonly uids: boolean;
  /** Absent: no times. */
  readonly times?: TimeStyle;
  readonly extra: boolean;
  /** Whether there is a column for checksums. */
  readonly checksum: boolean;
  /** Seconds since 1970, for times that are relative to now. */
  readonly now: number;
}

const types: Readonly<Record<number, string>> = {
  0o140000: "s",
  0o120000: "l",
  0o100000: "-",
  0o060000: "b",
  0o040000: "d",
  0o020000: "c",
  0o010000: "p",
};

/** The letter of a file's type: one of `-`, `d`, `l`, `c`, `b`, `p`, `s`, `u` for unknown. */
export function typeLetter(stat: WalkStat): string {
  return types[stat.st_mode & 0o170000] ?? "u";
}

function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${"KMGTPE"[unit]}`;
}

/** Local time, as strftime(3) has `%F %T`. */
function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const timeWidths: Readonly<Record<TimeStyle, number>> = { date: 0, seconds: 10, relative: 10, days: 3 };

function timeText(seconds: number, style: TimeStyle, now: number): string {
  switch (style) {
    case "date":
      return dateText(seconds);
    case "seconds":
      return String(seconds);
    case "relative":
      return String(now - seconds);
    case "days":
      return String(Math.trunc((now - seconds) / 86_400));
  }
}

/** Major and minor number, as Linux packs them in 64 bits. */
function deviceText(device: number): string {
  const all = BigInt.asUintN(64, BigInt(device));
  const major = ((all >> 8n) & 0xfffn) | ((all >> 32n) & 0xfffff000n);
  const minor = (all & 0xffn) | ((all >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function csvField(text: string): string {
  return /[", \n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A line about a file, without its end.
 * @param checksum - its checksum, empty when it has none
 */
export function row({ path, stat, target }: WalkEntry, checksum: string, options: RowOptions): string {
  const { csv, human, uids, times, extra, now } = options;
  const size = human ? humanSize(stat.st_size) : String(stat.st_size);
  const fields: [text: string, width: number][] = [
    [typeLetter(stat), 0],
    [(stat.st_mode & 0o7777).toString(8).padStart(4, "0"), 0],
    [size, 10],
  ];
  if (uids) fields.push([String(stat.st_uid), 4], [String(stat.st_gid), 4]);
  if (times !== undefined)
    for (const time of [stat.st_atime_sec, stat.st_mtime_sec, stat.st_ctime_sec])
      fields.push([timeText(time, times, now), timeWidths[times]]);
  if (extra)
    fields.push(
      [deviceText(stat.st_dev), 0],
      [String(stat.st_ino), 0],
      [String(stat.st_nlink), 0],
      [deviceText(stat.st_rdev), 0],
      [String(stat.st_blocks), 0],
    );
  if (options.checksum) fields.push([checksum, 0]);
  const names = [path, ...(typeLetter(stat) === "l" ? [target] : [])];
  if (csv) return [...fields.map(([text]) => text), ...names.map(csvField)].join(",");
  // A file without a checksum has no column for it.
  const columns = fields.filter(([text]) => text !== "");
  return [...columns.map(([text, width]) => text.padStart(width)), names.join(" -> ")].join(" ");
}
