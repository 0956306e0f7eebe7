import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { runTool } from "../tool.ts";

const flag = (option: string, on: boolean | undefined): string[] => (on ? [option] : []);
const modeMax = 0o7777;

function resize(device: string, size: number | undefined, force: boolean | undefined, pulse: () => void): void {
  if (size !== undefined && size <= 0) throw new DaemonError(`${size}: a size must be more than 0`, "EINVAL");
  // It asks before it begins. Twice the option also says yes to a volume that is marked for a check.
  runTool(
    ["ntfsresize", "-P", ...flag("-ff", force), ...(size === undefined ? [] : ["--size", String(size)]), device],
    {
      stdin: "y\n",
      pulse,
    },
  );
}

/** NTFS, by the tools of ntfs-3g, whose reader of options knows no `--`. Their operands here are devices, which begin with a slash. */
export const ntfs: HandlersOf<"ntfs"> = {
  ntfs_3g_probe: ({ rw, device }) =>
    run(["ntfs-3g.probe", rw ? "--readwrite" : "--readonly", device], { accept: "any" }).status,
  ntfs_chmod({ device, mode, path, recursive }) {
    if (mode < 0 || mode > modeMax) throw new DaemonError(`${mode.toString(8)}: no mode`, "EINVAL");
    if (!path.startsWith("/")) throw new DaemonError(`${path}: a path must start with a / character`, "EINVAL");
    runTool(["ntfssecaudit", ...flag("-r", recursive), device, mode.toString(8).padStart(3, "0"), path]);
  },
  ntfsclone_in({ device }, context) {
    runTool(["ntfsclone", "--overwrite", device, "--restore-image", "-"], { stdin: context.input });
  },
  ntfsclone_out({ device, metadataonly, rescue, ignorefscheck, preservetimestamps, force }, context) {
    run(
      [
        ...["ntfsclone", "--output", "-", "--save-image"],
        ...[
          ...flag("--metadata", metadataonly),
          ...flag("--rescue", rescue),
          ...flag("--ignore-fs-check", ignorefscheck),
        ],
        ...[...flag("--preserve-timestamps", preservetimestamps), ...flag("--force", force)],
        device,
      ],
      { stdout: context.output, pulse: context.pulse },
    );
  },
  ntfsfix({ device, clearbadsectors }) {
    runTool(["ntfsfix", ...flag("-b", clearbadsectors), device]);
  },
  ntfsresize({ device, size, force }, context) {
    resize(device, size, force, context.pulse);
  },
  ntfsresize_size({ device, size }, context) {
    resize(device, size, false, context.pulse);
  },
};
