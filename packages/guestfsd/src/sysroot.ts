import { encodeText } from "@guestfs/protocol";
import { constants, openSync, readlinkSync } from "node:fs";
import { dirname } from "node:path/posix";
import { DaemonError } from "./daemon-error.ts";
import type { PathGuard } from "./live/path-guard.ts";
import { closeDescriptor } from "./native/descriptor.ts";
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, openFolder, openInRoot } from "./native/file.ts";
import { openType, statOpen } from "./native/stat.ts";
import { openQuietly } from "./quiet-open.ts";

/** A place in the guest, held open: its folder by descriptor, its last element by name. */
export interface Place {
  /** A path for one system call that does not follow a symlink in the last element. Valid while the place is held. */
  readonly path: string;
  /** Last element of the path; `.` for the root itself. */
  readonly name: string;
  /** The folder, opened with O_PATH. */
  readonly folder: number;
}

/** The path by which the kernel reaches an open descriptor. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** A path for `node:fs`: text, or bytes where the name is not UTF-8. */
export function fsPath(path: string): string | Buffer {
  return /[\uDC80-\uDCFF]/.test(path) ? Buffer.from(encodeText(path)) : path;
}

/**
 * The tree of the guest. Paths are resolved by the kernel as if the tree's top were `/`
 * (openat2(2), RESOLVE_IN_ROOT), so nothing in a hostile guest leads out of it.
 */
export class Sysroot {
  /** Folder on the daemon's side that is the guest's `/`, every symlink resolved; `/` itself in live mode. */
  readonly path: string;
  readonly #guard: PathGuard | undefined;

  /**
   * @param path - canonical
   * @param guard - says which paths may be used; default all
   */
  constructor(path: string, guard?: PathGuard) {
    this.path = path;
    this.#guard = guard;
  }

  /**
   * Opens a file of the guest; symlinks are followed inside the tree.
   * @param flags - as open(2); the descriptor is closed on exec
   * @throws SystemError with the code of openat2(2)
   */
  open(path: string, flags: number, mode = 0): number {
    const root = this.openTop();
    try {
      return this.#guard
        ? this.#openGuarded(this.#guard, root, path, flags, mode)
        : openInRoot(root, path, flags, mode);
    } finally {
      closeDescriptor(root);
    }
  }

  #openGuarded(guard: PathGuard, root: number, path: string, flags: number, mode: number): number {
    const fd = guard.looksFirst
      ? this.#openLookedAt(guard, root, path, flags, mode)
      : openQuietly(guard.flags(flags), flags, (wanted) => openInRoot(root, path, wanted, mode));
    try {
      guard.checkOpened(fd, path, flags);
      return fd;
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  /** Looks what lies at the path and where before anything is done there, and then opens just that, wherever the path leads by now. */
  #openLookedAt(guard: PathGuard, root: number, path: string, flags: number, mode: number): number {
    const { O_CREAT, O_EXCL } = constants;
    let found: number;
    try {
      found = openInRoot(root, path, O_PATH | (flags & (O_NOFOLLOW | O_DIRECTORY)));
    } catch (error) {
      if ((flags & O_CREAT) === 0 || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return this.withPlace(path, (place) => openSync(place.path, flags | O_NOFOLLOW, mode));
    }
    let keep = false;
    try {
      const where = (): string => this.#inside(readlinkSync(descriptorPath(found)));
      if (guard.limitsPaths) this.#check(guard, root, where());
      if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return openInRoot(root, path, flags, mode);
      keep = (flags & O_PATH) !== 0;
      if (keep) return found;
      guard.checkType(openType(found), path, where);
      const again = flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW);
      return openQuietly(guard.flags(again), again, (wanted) => openSync(descriptorPath(found), wanted));
    } finally {
      if (!keep) closeDescriptor(found);
    }
  }

  /** Checks a place, every symlink resolved, also against what the policy denies by another name. */
  #check(guard: PathGuard, top: number, place: string): void {
    guard.check(place);
    if (guard.deniedPaths.length === 0) return;
    const above = new Set<string>();
    for (let folder = place; ; folder = dirname(folder)) {
      above.add(this.#identify(top, folder, O_NOFOLLOW)?.identity ?? "");
      if (folder === "/") break;
    }
    for (const prefix of guard.deniedPaths) {
      const denied = this.#identify(top, prefix);
      if (!denied) continue;
      if (above.has(denied.identity)) guard.refuseBelow(prefix, place);
      guard.checkAgainst(prefix, place, denied.place);
    }
  }

  /** What lies at a path, whatever it is called: a symlink, letters of another case or a bind mount may be on its way. */
  #identify(top: number, path: string, flags = 0): { readonly identity: string; readonly place: string } | undefined {
    let fd: number;
    try {
      fd = openInRoot(top, path, O_PATH | flags);
    } catch {
      return undefined;
    }
    try {
      const { st_dev: device, st_ino: inode } = statOpen(fd);
      return { identity: `${device}:${inode}`, place: this.#inside(readlinkSync(descriptorPath(fd))) };
    } finally {
      closeDescriptor(fd);
    }
  }

  /** Opens a file, hands it on, closes it. */
  withOpen<T>(path: string, flags: number, use: (fd: number) => T, mode = 0): T {
    const fd = this.open(path, flags, mode);
    try {
      return use(fd);
    } finally {
      closeDescriptor(fd);
    }
  }

  /** Hands on the place of a path: the folder is resolved, the last element is not followed. */
  withPlace<T>(path: string, use: (place: Place) => T): T {
    const trimmed = path.replace(/\/+$/, "");
    const cut = trimmed.lastIndexOf("/");
    const name = trimmed.slice(cut + 1) || ".";
    // A system call would follow `..` out of the tree: here the whole path is the folder.
    const [folderPath, last] = name === ".." ? [trimmed, "."] : [trimmed.slice(0, Math.max(cut, 0)) || "/", name];
    const guard = this.#guard?.limitsPaths === true ? this.#guard : undefined;
    return this.#withFolder(folderPath, (folder, top) => {
      if (guard) {
        const parent = this.#inside(readlinkSync(descriptorPath(folder)));
        this.#check(guard, top, last === "." ? parent : `${parent.replace(/\/$/, "")}/${last}`);
      }
      return use({ path: `${descriptorPath(folder)}/${last}`, name: last, folder });
    });
  }

  /** The tree's top, opened with O_PATH: not for use as the guest's file, but to start from. */
  openTop(): number {
    return openFolder(this.path);
  }

  /** Hands the tree's top on, for what resolves paths by itself. */
  withTop<T>(use: (top: number) => T): T {
    const top = this.openTop();
    try {
      return use(top);
    } finally {
      closeDescriptor(top);
    }
  }

  /** Where in the guest a path leads, whether or not it may be used; what does not exist is where it would be made. */
  whereIs(path: string): string {
    const top = this.openTop();
    try {
      const fd = openInRoot(top, path, O_PATH);
      try {
        return this.#inside(readlinkSync(descriptorPath(fd)));
      } finally {
        closeDescriptor(fd);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      const trimmed = path.replace(/\/+$/, "");
      const cut = trimmed.lastIndexOf("/");
      return this.#withFolder(trimmed.slice(0, Math.max(cut, 0)) || "/", (folder) => {
        const parent = this.#inside(readlinkSync(descriptorPath(folder)));
        return `${parent.replace(/\/$/, "")}/${trimmed.slice(cut + 1)}`;
      });
    } finally {
      closeDescriptor(top);
    }
  }

  /** A folder on the way to something: only what it leads to has to be within the limits. */
  #withFolder<T>(path: string, use: (folder: number, top: number) => T): T {
    const root = this.openTop();
    try {
      const folder = openInRoot(root, path, O_PATH | O_DIRECTORY);
      try {
        return use(folder, root);
      } finally {
        closeDescriptor(folder);
      }
    } finally {
      closeDescriptor(root);
    }
  }

  /** The canonical path in the guest, every symlink resolved. */
  realpath(path: string): string {
    return this.withOpen(path, O_PATH, (fd) => this.#inside(readlinkSync(descriptorPath(fd))));
  }

  /** The path on the daemon's side of a file or folder that exists, every symlink resolved: for programs that take a path. */
  outside(path: string): string {
    // Where most mounts go; the path of the top is canonical, and looking it up again costs a cold machine 5 ms.
    if (path === "/" && !this.#guard) return this.path;
    return this.withOpen(path, O_PATH, (fd) => {
      const outside = readlinkSync(descriptorPath(fd));
      this.#guard?.checkType(openType(fd), path, () => this.#inside(outside));
      return outside;
    });
  }

  /** A path on the daemon's side where something may be made: the folder is resolved, the last element taken as it is. */
  outsidePlace(path: string): string {
    return this.withPlace(
      path,
      (place) => `${readlinkSync(descriptorPath(place.folder)).replace(/\/$/, "")}/${place.name}`,
    );
  }

  #inside(outside: string): string {
    if (this.path === "/") return outside;
    if (outside === this.path) return "/";
    if (outside.startsWith(`${this.path}/`)) return outside.slice(this.path.length);
    throw new DaemonError(`${outside}: outside of the guest's tree`, "EXDEV");
  }
}
