import type { Context, HandlersOf } from "../context.ts";
import { btrfs, withFileSystem } from "../btrfs.ts";
import { DaemonError } from "../daemon-error.ts";

type SubvolumeCalls = Extract<keyof HandlersOf<"btrfs">, `btrfs_subvolume_${string}`>;

function joinGroup(qgroupid: string | undefined): string[] {
  return qgroupid === undefined ? [] : ["-i", qgroupid];
}

/** Where a snapshot goes: a folder that is there already, or a new place. */
function target(context: Context, path: string): string {
  try {
    return context.sysroot.outside(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return context.sysroot.outsidePlace(path);
  }
}

/**
 * Reads what `btrfs subvolume show` prints: its path, lines of a name, a colon and a value (`-` for none), then the snapshots, one a line.
 */
export function parseSubvolume(text: string): Record<string, string> {
  const result: Record<string, string> = Object.create(null) as Record<string, string>;
  let list: string | undefined;
  const [path = "", ...lines] = text.split("\n");
  result["path"] = path.trim();
  for (const line of lines) {
    const content = line.trim();
    if (content === "") continue;
    if (list !== undefined && line.startsWith("\t\t")) {
      result[list] = result[list] === "" ? content : `${result[list]},${content}`;
      continue;
    }
    const colon = content.indexOf(":");
    if (colon < 0) continue;
    const name = content.slice(0, colon);
    const value = content.slice(colon + 1).trim();
    result[name] = value === "-" ? "" : value;
    list = name === "Snapshot(s)" ? name : undefined;
  }
  return result;
}

/** Subvolumes and snapshots. */
export const btrfsSubvolume: Pick<HandlersOf<"btrfs">, SubvolumeCalls> = {
  btrfs_subvolume_create({ dest, qgroupid }, context) {
    btrfs(["subvolume", "create", ...joinGroup(qgroupid), "--", context.sysroot.outsidePlace(dest)]);
  },
  btrfs_subvolume_delete({ subvolume }, context) {
    btrfs(["subvolume", "delete", "--", context.sysroot.outside(subvolume)]);
  },
  btrfs_subvolume_snapshot({ source, dest, ro, qgroupid }, context) {
    const options = [...(ro ? ["-r"] : []), ...joinGroup(qgroupid)];
    btrfs(["subvolume", "snapshot", ...options, "--", context.sysroot.outside(source), target(context, dest)]);
  },
  btrfs_subvolume_list({ fs }, context) {
    const text = withFileSystem(context, fs, "read", (folder) => btrfs(["subvolume", "list", "--", folder]));
    return text.split("\n").flatMap((line) => {
      const match = /^ID (\d+) gen \d+ top level (\d+) path (.*)$/.exec(line);
      if (!match) return [];
      return {
        btrfssubvolume_id: Number(match[1]),
        btrfssubvolume_top_level_id: Number(match[2]),
        btrfssubvolume_path: match[3] ?? "",
      };
    });
  },
  btrfs_subvolume_set_default({ id, fs }, context) {
    btrfs(["subvolume", "set-default", "--", String(id), context.sysroot.outside(fs)]);
  },
  btrfs_subvolume_get_default({ fs }, context) {
    const text = withFileSystem(context, fs, "read", (folder) => btrfs(["subvolume", "get-default", folder]));
    const match = /^ID (\d+)/.exec(text);
    if (!match) throw new DaemonError(`${fs}: btrfs did not tell the default subvolume: ${text.trim()}`);
    return Number(match[1]);
  },
  btrfs_subvolume_show({ subvolume }, context) {
    return parseSubvolume(btrfs(["subvolume", "show", "--", context.sysroot.outside(subvolume)]));
  },
};
