import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { syncPartitions } from "../partition-sync.ts";
import { checkNumber } from "../partition-table.ts";

type SfdiskCalls = Extract<keyof HandlersOf<"partition">, `sfdisk${string}`>;

function runSfdisk(device: string, options: readonly string[], lines: readonly string[]): void {
  // The kernel is told by us: sfdisk would not touch a disk with a partition in use.
  run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", ...options, "--", device], {
    stdin: `${lines.join("\n")}\n`,
  });
  syncPartitions(device);
}

/** Geometry has been without a meaning since sfdisk 2.26. */
function checkGeometry(...numbers: number[]): void {
  for (const number of numbers)
    if (number < 0) throw new DaemonError(`${number}: a geometry can't be negative`, "EINVAL");
}

/** `,100,82` to `,100MiB,82`: start and size were in megabytes, a unit that sfdisk(8) took until 2.26. */
export function inMegabytes(line: string): string {
  return line.replace(
    /^\s*([+]?\d*)(\s*[,;\s]\s*)?([+]?\d*)/,
    (_, start: string, separator: string | undefined, size: string) => {
      const scaled = (number: string): string =>
        /\d/.test(number) && !/^\+?0+$/.test(number) ? `${number}MiB` : number;
      return `${scaled(start)}${separator ?? ""}${scaled(size)}`;
    },
  );
}

/** The calls from before `part_*`. */
export const sfdisk: Pick<HandlersOf<"partition">, SfdiskCalls> = {
  sfdisk({ device, cyls, heads, sectors, lines }) {
    checkGeometry(cyls, heads, sectors);
    runSfdisk(device, [], lines);
  },
  sfdiskM({ device, lines }) {
    runSfdisk(device, [], lines.map(inMegabytes));
  },
  sfdisk_N({ device, partnum, cyls, heads, sectors, line }) {
    checkNumber(partnum);
    checkGeometry(cyls, heads, sectors);
    runSfdisk(device, ["-N", String(partnum)], [line]);
  },
  sfdisk_l: ({ device }) => run(["sfdisk", "--list", "--", device]).stdout.toString("utf8"),
  sfdisk_kernel_geometry: ({ device }) => run(["sfdisk", "--show-geometry", "--", device]).stdout.toString("utf8"),
  sfdisk_disk_geometry: ({ device }) => run(["sfdisk", "--show-geometry", "--", device]).stdout.toString("utf8"),
};
