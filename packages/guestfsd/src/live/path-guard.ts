import { closeSync, constants, fstatSync, openSync, realpathSync } from "node:fs";
import { normalize } from "node:path/posix";
import { RefusedError } from "../daemon-error.ts";
import type { Policy } from "./policy.ts";

/** Linux; node:fs has it only where it was built to. */
const O_NOATIME = 0o1000000;
const O_PATH = 0o10000000;

const { S_IFBLK, S_IFCHR, S_IFIFO } = constants;

/** Whether a path is another one or below it. */
export function covers(prefix: string, path: string): boolean {
  return prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
}

/** Whether something mounted, a volume or the like stands on a block device: then nobody else may have it alone (open(2), O_EXCL). */
export function deviceIsInUse(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBUSY";
  }
}

/** What is to be done to the paths of a call. */
export interface Reach {
  /** Everything below them is meant as well. */
  readonly whole: boolean;
  /** Something is changed. */
  readonly changes: boolean;
}

/** Keeps a conversation within the paths that the policy gives, and off devices that are in use. */
export class PathGuard {
  readonly #policy: Policy;
  readonly #own: readonly string[];
  #reach: Reach = { whole: false, changes: false };
  /** Whether nothing may be changed, times of access included. */
  readOnly: boolean;

  /** @param own - where the policy and the daemon's notes are: where paths are limited, no call changes these */
  constructor(policy: Policy, own: readonly string[] = []) {
    this.#policy = policy;
    this.#own = own;
    this.readOnly = policy.readOnly;
  }

  /** The next call begins. */
  begin(reach: Reach): void {
    this.#reach = reach;
  }

  /** Whether the policy has rules for paths at all. */
  get limitsPaths(): boolean {
    return this.#policy.allowedPaths.length > 0 || this.#policy.deniedPaths.length > 0;
  }

  /** Whether what lies at a path is looked at before it is opened. */
  get looksFirst(): boolean {
    return this.limitsPaths || this.readOnly;
  }

  /** Folders and files that can't be used, as the policy spells them. */
  get deniedPaths(): readonly string[] {
    return this.#policy.deniedPaths;
  }

  /** Whether a rule for paths says that something is allowed: in the presence of any rule, devices need one. */
  #allows(path: string): boolean {
    return this.#policy.allowedPaths.some((prefix) => covers(prefix, path));
  }

  /** Whether a device may be used, by the name that it was given or the one that this leads to. */
  allowsDevice(device: string): boolean {
    const real = realpathSync(device);
    const names = normalize(device) === device ? [device, real] : [real];
    return (
      names.some((name) => this.#allows(name)) &&
      !names.some((name) => this.deniedPaths.some((prefix) => covers(prefix, name)))
    );
  }

  /**
   * Checks where something really is.
   * @param path - in the guest, every symlink resolved
   * @throws RefusedError with EACCES
   */
  check(path: string): void {
    const { allowedPaths } = this.#policy;
    for (const prefix of this.deniedPaths) this.checkAgainst(prefix, path, prefix);
    if (this.#reach.changes) for (const own of this.#own) this.checkAgainst(own, path, own);
    if (allowedPaths.length > 0 && !this.#allows(path))
      this.#refuse(path, `only what is below ${allowedPaths.join(", ")} may be used`);
    // Memory and open files of every process are there, whatever else is denied.
    if (covers("/proc", path) && !this.#allows(path)) this.#refuse(path, "it needs a place in paths.allow");
  }

  /**
   * Checks one rule that denies.
   * @param prefix - as the policy spells it
   * @param place - where that is
   */
  checkAgainst(prefix: string, path: string, place: string): void {
    if (covers(place, path)) this.refuseBelow(prefix, path);
    if (this.#reach.whole && covers(path, place)) this.#refuse(path, `${prefix} is below it, and may not be used`);
  }

  refuseBelow(prefix: string, path: string): never {
    this.#refuse(path, `nothing below ${prefix} may be used`);
  }

  /**
   * Checks what kind of file something is, before it is opened.
   * @param type - one of `S_IFREG`, `S_IFDIR` ...
   * @param where - gives its place in the guest
   * @throws RefusedError with EACCES
   */
  checkType(type: number, path: string, where: () => string): void {
    if (this.readOnly && (type === S_IFIFO || type === S_IFCHR))
      throw new RefusedError(`${path}: refused: to open a pipe or a character device may change something`, "EACCES");
    if (!this.limitsPaths || (type !== S_IFBLK && type !== S_IFCHR)) return;
    const place = where();
    if (!covers("/dev", place) || !this.#allows(place))
      this.#refuse(
        path,
        "where paths are limited, a device is used by its name in /dev and with a place in paths.allow",
      );
  }

  #refuse(path: string, why: string): never {
    const { source } = this.#policy;
    throw new RefusedError(`${path}: refused by the policy of this machine: ${why} (paths in ${source})`, "EACCES");
  }

  /** The flags to open something of the guest with. */
  flags(flags: number): number {
    const reads = (flags & (constants.O_WRONLY | constants.O_RDWR | O_PATH)) === constants.O_RDONLY;
    return this.readOnly && reads ? flags | O_NOATIME : flags;
  }

  /** @throws RefusedError when a descriptor that can be written is a block device in use */
  checkOpened(fd: number, path: string, flags: number): void {
    if ((flags & O_PATH) !== 0 || (flags & (constants.O_WRONLY | constants.O_RDWR)) === 0) return;
    if (fstatSync(fd).isBlockDevice() && deviceIsInUse(`/proc/self/fd/${fd}`))
      throw new RefusedError(
        `${path}: refused by the policy of this machine: the device is in use, and writing to it could destroy what is on it`,
        "EBUSY",
      );
  }
}
