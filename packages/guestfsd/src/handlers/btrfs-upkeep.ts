import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { structByName } from "@guestfs/schema";
import type { StructMap } from "@guestfs/schema";
import { btrfs, withFileSystem } from "../btrfs.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { pause } from "../partition-sync.ts";

type UpkeepCalls = Extract<
  keyof HandlersOf<"btrfs">,
  | `btrfs_balance_${string}`
  | `btrfs_scrub_${string}`
  | `btrfs_qgroup_${string}`
  | `btrfs_quota_${string}`
  | `btrfs_rescue_${string}`
  | `btrfstune_${string}`
  | "btrfs_set_seeding"
>;

/** btrfs(8) keeps the state of scrubs here and does not make the folder itself. */
function ensureStateFolder(): void {
  mkdirSync("/var/lib/btrfs", { recursive: true });
}

const settleMax = 1500;
const settleStep = 10;

/** Whether a scrub of ours goes on: a process of btrfs(8) with this folder among its arguments. */
function isScrubbing(folder: string): boolean {
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return argv[0] === "btrfs" && argv[1] === "scrub" && argv.includes(folder);
    } catch {
      return false;
    }
  });
}

/** The scrub of a small filesystem is over in a moment: that is waited for, since meanwhile nothing can be unmounted. */
function letScrubSettle(folder: string): void {
  for (let waited = 0; waited < settleMax && isScrubbing(folder); waited += settleStep) pause(settleStep);
}

/** Reads what `btrfs balance status` prints. */
export function parseBalance(text: string): StructMap["btrfsbalance"] {
  const state = /^Balance on .* is (running|paused)/m.exec(text)?.[1] ?? "none";
  const count = /^(\d+) out of about (\d+) chunks balanced \((\d+) considered\), +(\d+)% left/m.exec(text);
  return {
    btrfsbalance_status: state,
    btrfsbalance_total: Number(count?.[2] ?? 0),
    btrfsbalance_balanced: Number(count?.[1] ?? 0),
    btrfsbalance_considered: Number(count?.[3] ?? 0),
    btrfsbalance_left: Number(count?.[4] ?? 0),
  };
}

/** Reads what `btrfs scrub status -R` prints: a counter a line. */
export function parseScrub(text: string): StructMap["btrfsscrub"] {
  const counters = new Map<string, number>();
  for (const match of text.matchAll(/^\s*([a-z_]+):\s*(\d+)\s*$/gm)) counters.set(match[1] ?? "", Number(match[2]));
  const fields = structByName.get("btrfsscrub")?.fields ?? [];
  return Object.fromEntries(
    fields.map(({ name }) => [name, counters.get(name.slice("btrfsscrub_".length)) ?? 0]),
  ) as unknown as StructMap["btrfsscrub"];
}

function setSeeding({ device, seeding }: { device: string; seeding: boolean }): void {
  run(["btrfstune", "-f", "-S", seeding ? "1" : "0", "--", device]);
}

/** Balance, scrub, quotas, rescue and tuning. */
export const btrfsUpkeep: Pick<HandlersOf<"btrfs">, UpkeepCalls> = {
  btrfs_balance_cancel({ path }, context) {
    btrfs(["balance", "cancel", "--", context.sysroot.outside(path)]);
  },
  btrfs_balance_pause({ path }, context) {
    btrfs(["balance", "pause", "--", context.sysroot.outside(path)]);
  },
  btrfs_balance_resume({ path }, context) {
    btrfs(["balance", "resume", "--", context.sysroot.outside(path)], { pulse: context.pulse });
  },
  btrfs_balance_status({ path }, context) {
    // Status 1: a balance is there.
    return parseBalance(btrfs(["balance", "status", "--", context.sysroot.outside(path)], { accept: [0, 1] }));
  },

  btrfs_scrub_start({ path }, context) {
    ensureStateFolder();
    const folder = context.sysroot.outside(path);
    btrfs(["scrub", "start", "--", folder]);
    letScrubSettle(folder);
  },
  btrfs_scrub_full({ path, readonly: readOnly }, context) {
    ensureStateFolder();
    const options = readOnly ? ["-B", "-r"] : ["-B"];
    btrfs(["scrub", "start", ...options, "--", context.sysroot.outside(path)], { pulse: context.pulse });
  },
  btrfs_scrub_cancel({ path }, context) {
    btrfs(["scrub", "cancel", "--", context.sysroot.outside(path)]);
  },
  btrfs_scrub_resume({ path }, context) {
    ensureStateFolder();
    const folder = context.sysroot.outside(path);
    const argv = ["btrfs", "scrub", "resume", "--", folder];
    const { stdout } = run(argv, { accept: [0, 2] });
    if (stdout.includes("nothing to resume")) throw new DaemonError(`${path}: there is no scrub to resume`, "ENOTCONN");
    letScrubSettle(folder);
  },
  btrfs_scrub_status({ path }, context) {
    return parseScrub(btrfs(["scrub", "status", "-R", "--", context.sysroot.outside(path)]));
  },

  btrfs_quota_enable({ fs, enable }, context) {
    withFileSystem(context, fs, "write", (folder) => btrfs(["quota", enable ? "enable" : "disable", folder]));
  },
  btrfs_quota_rescan({ fs }, context) {
    // `-w`: the numbers hold when the call returns, and a temporary mount can be given up.
    withFileSystem(context, fs, "write", (folder) =>
      btrfs(["quota", "rescan", "-w", "--", folder], { pulse: context.pulse }),
    );
  },
  btrfs_qgroup_limit({ subvolume, size }, context) {
    btrfs(["qgroup", "limit", "--", String(size), context.sysroot.outside(subvolume)]);
  },
  btrfs_qgroup_create({ qgroupid, subvolume }, context) {
    btrfs(["qgroup", "create", "--", qgroupid, context.sysroot.outside(subvolume)]);
  },
  btrfs_qgroup_destroy({ qgroupid, subvolume }, context) {
    btrfs(["qgroup", "destroy", "--", qgroupid, context.sysroot.outside(subvolume)]);
  },
  btrfs_qgroup_show({ path }, context) {
    const text = btrfs(["qgroup", "show", "--raw", "--", context.sysroot.outside(path)]);
    return [...text.matchAll(/^(\d+\/\d+)\s+(\d+)\s+(\d+)/gm)].map((match) => ({
      btrfsqgroup_id: match[1] ?? "",
      btrfsqgroup_rfer: Number(match[2]),
      btrfsqgroup_excl: Number(match[3]),
    }));
  },
  btrfs_qgroup_assign({ src, dst, path }, context) {
    btrfs(["qgroup", "assign", "--", src, dst, context.sysroot.outside(path)]);
  },
  btrfs_qgroup_remove({ src, dst, path }, context) {
    btrfs(["qgroup", "remove", "--", src, dst, context.sysroot.outside(path)]);
  },

  btrfs_rescue_chunk_recover({ device }, context) {
    btrfs(["rescue", "chunk-recover", "-y", "--", device], { pulse: context.pulse });
  },
  btrfs_rescue_super_recover({ device }) {
    // Status 2: bad copies were there and have been mended.
    btrfs(["rescue", "super-recover", "-y", "--", device], { accept: [0, 2] });
  },
  btrfs_set_seeding: setSeeding,
  btrfstune_seeding: setSeeding,
  btrfstune_enable_extended_inode_refs({ device }) {
    run(["btrfstune", "-r", "--", device]);
  },
  btrfstune_enable_skinny_metadata_extent_refs({ device }) {
    run(["btrfstune", "-x", "--", device]);
  },
};
