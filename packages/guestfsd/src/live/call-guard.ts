import { camelCase, effectOf } from "@guestfs/schema";
import type { Effect, Procedure } from "@guestfs/schema";
import { dirname } from "node:path";
import { join } from "node:path/posix";
import { RefusedError } from "../daemon-error.ts";
import { isBlockDevice, parseMountable } from "../device.ts";
import { pathType } from "../native/stat.ts";
import type { Sysroot } from "../sysroot.ts";
import { frozenState } from "./frozen-state.ts";
import { deviceIsInUse, PathGuard } from "./path-guard.ts";
import type { Policy } from "./policy.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** What a conversation is made of: no policy takes it away. */
const always = words(`
  extension_daemon_status extension_restrict extension_set_chunk_size internal_autosync internal_feature_available
  ping_daemon`);

/** Calls about everything below a path. */
const wholeTree = words(`
  btrfs_subvolume_delete btrfs_subvolume_snapshot checksums_out cp_a cp_r cpio_out du extension_walk find0
  internal_yara_scan journal_open mksquashfs mv rename rm_rf tar_out tgz_out txz_out`);

/**
 * Calls that may reach more than their arguments say: libraries and programs follow symlinks on their way or do as they are told, mount
 * options name other folders, and a device's node stands for all that is on it.
 */
const reachesMore = words(`
  aug_init command command_lines command_out inspect_os mknod mknod_b mknod_c mount_9p mount_options mount_vfs rsync
  rsync_in rsync_out selinux_relabel setfiles sh sh_lines sh_out tar_in tgz_in txz_in`);

/** Parameters by which a device is read, in calls that write to another one. */
const sources = words("src srcdev");

const deviceKinds = new Set<string | undefined>(["device", "mountable", "device-or-path", "mountable-or-path"]);
const pathKinds = new Set<string | undefined>([...deviceKinds, "pathname"]);

type Arguments = Readonly<Record<string, unknown>>;

function textsOf(
  row: Procedure,
  args: Arguments,
  kinds: ReadonlySet<string | undefined>,
): [name: string, text: string][] {
  return row.params
    .filter(({ of }) => kinds.has(of))
    .flatMap(({ name }) => [args[camelCase(name)]].flat().map((text) => [name, String(text)] as [string, string]));
}

function devicesOf(row: Procedure, args: Arguments): [name: string, device: string][] {
  return textsOf(row, args, deviceKinds)
    .filter(([, text]) => text.startsWith("/dev/") || text.startsWith("btrfsvol:"))
    .map(([name, text]) => [name, parseMountable(text, isBlockDevice).device]);
}

/** Says which calls a conversation may make. */
export class CallGuard {
  readonly policy: Policy;
  readonly paths: PathGuard;
  readonly #runFolder: string;

  constructor(policy: Policy, runFolder: string) {
    this.policy = policy;
    this.paths = new PathGuard(policy, [policy.source, runFolder, dirname(process.argv[1] ?? "")]);
    this.#runFolder = runFolder;
  }

  get readOnly(): boolean {
    return this.paths.readOnly;
  }

  /** Refuses changes from now on: a client may ask for less, and there is no way back. */
  restrictToReading(): void {
    this.paths.readOnly = true;
  }

  /** @throws RefusedError when the policy does not let a call be made */
  checkCall(row: Procedure, args: Arguments, sysroot: Sysroot): void {
    const { name } = row;
    const effect = effectOf(name);
    this.paths.begin({ whole: wholeTree.has(name), changes: effect !== "none" });
    if (always.has(name)) return;
    this.#checkName(name, effect);
    if (this.readOnly) this.#checkUnopened(row, args);
    if (effect === "device") this.#checkDevices(row, args);
    if (effect !== "none") this.#checkFrozen(name);
    if (this.paths.limitsPaths) this.#checkReach(row, args, effect, sysroot);
  }

  #checkName(name: string, effect: Effect): void {
    const { policy } = this;
    if (policy.broken !== undefined) throw refusal(`it can't be understood: ${policy.broken}`);
    if (policy.denied.has(name)) throw refusal(`${name} is in calls.deny of ${policy.source}`);
    if (policy.only && !policy.only.has(name)) throw refusal(`${name} is not in calls.only of ${policy.source}`);
    if (effect === "none") return;
    // Freezing changes nothing that is stored; for a backup, a client that only reads may want it.
    const freezes = name === "extension_freeze" || name === "extension_thaw";
    if (policy.readOnly) throw refusal(`it is read-only ("mode" in ${policy.source})`, "EROFS");
    if (this.readOnly && !freezes)
      throw new RefusedError("refused: this client asked to be kept from changing anything (read-only)", "EROFS");
    if (effect === "danger" && !policy.allowed.has(name))
      throw refusal(`it could destroy what the running machine lives on; ${howToAllow(name, policy)}`);
  }

  /** To open a character device may do something. */
  #checkUnopened(row: Procedure, args: Arguments): void {
    for (const [, device] of devicesOf(row, args)) this.paths.checkType(pathType(device) ?? 0, device, () => device);
  }

  #checkDevices(row: Procedure, args: Arguments): void {
    if (this.policy.allowed.has(row.name)) return;
    for (const [name, device] of devicesOf(row, args))
      if (!sources.has(name) && deviceIsInUse(device))
        throw refusal(
          `${device} is in use (mounted, or part of something else), and what is on it could be destroyed; ${howToAllow(row.name, this.policy)}`,
          "EBUSY",
        );
  }

  #checkFrozen(name: string): void {
    if (name === "extension_thaw") return;
    const state = frozenState(this.#runFolder);
    if (state)
      throw new RefusedError(
        `the machine's filesystems are frozen, for ${state.secondsLeft} s more at most; extension_thaw ends it`,
        "EBUSY",
      );
  }

  #checkReach(row: Procedure, args: Arguments, effect: Effect, sysroot: Sysroot): void {
    const { paths, policy } = this;
    for (const [, device] of devicesOf(row, args))
      if (!paths.allowsDevice(device))
        throw refusal(
          `where paths are limited, devices need a place in paths.allow (${policy.source}), and ${device} has none`,
        );
    if (policy.allowed.has(row.name)) return;
    const named = row.params.some(({ of }) => pathKinds.has(of)) || wholeTree.has(row.name);
    if (
      reachesMore.has(row.name) ||
      (effect !== "none" && !named && !/^(?:aug|extension|hivex)_/.test(row.name) && !isAboutPlain(row))
    )
      throw refusal(`where paths are limited, ${row.name} could reach others; ${howToAllow(row.name, policy)}`);
    if (wholeTree.has(row.name))
      for (const { name } of row.params) {
        const path = args[camelCase(name)];
        if (typeof path === "string" && path.startsWith("/")) paths.check(sysroot.whereIs(path));
      }
    const names = row.params.find(({ of, type }) => of === "filename" && type === "string-list");
    if (!names) return;
    const folder = sysroot.whereIs(String(args["path"]));
    for (const name of args[camelCase(names.name)] as string[]) paths.check(join(folder, name));
  }
}

/** Whether a call takes its paths as plain text, which the tree checks where it is opened. */
function isAboutPlain(row: Procedure): boolean {
  return /^(?:mkmountpoint|rmmountpoint)$/.test(row.name);
}

function refusal(why: string, errno = "EPERM"): RefusedError {
  return new RefusedError(`refused by the policy of this machine: ${why}`, errno);
}

function howToAllow(name: string, { source }: Policy): string {
  return `to allow it, put "${name}" into calls.allow of ${source} in the machine`;
}
