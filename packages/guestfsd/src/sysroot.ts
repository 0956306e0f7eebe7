import { encodeText } from "@guestfs/protocol";
import { closeSync, openSync, readlinkSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import { O_DIRECTORY, O_PATH, openInRoot } from "./native/file.ts";

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
  /** Folder on the daemon's side that is the guest's `/`; `/` itself in live mode. */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens a file of the guest; symlinks are followed inside the tree.
   * @param flags - as open(2); the descriptor is closed on exec
   * @throws SystemError with the code of openat2(2)
   */
  open(path: string, flags: number, mode = 0): number {
    const root = openSync(this.path, O_PATH | O_DIRECTORY);
    try {
      return openInRoot(root, path, flags, mode);
    } finally {
      closeSync(root);
    }
  }

  /** Opens a file, hands it on, closes it. */
  withOpen<T>(path: string, flags: number, use: (fd: number) => T, mode = 0): T {
    const fd = this.open(path, flags, mode);
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Hands on the place of a path: the folder is resolved, the last element is not followed. */
  withPlace<T>(path: string, use: (place: Place) => T): T {
    const trimmed = path.replace(/\/+$/, "");
    const cut = trimmed.lastIndexOf("/");
    const name = trimmed.slice(cut + 1) || ".";
    // A system call would follow `..` out of the tree: here the whole path is the folder.
    const [folderPath, last] = name === ".." ? [trimmed, "."] : [trimmed.slice(0, Math.max(cut, 0)) || "/", name];
    return this.withOpen(folderPath, O_PATH | O_DIRECTORY, (folder) =>
      use({ path: `${descriptorPath(folder)}/${last}`, name: last, folder }),
    );
  }

  /** The canonical path in the guest, every symlink resolved. */
  realpath(path: string): string {
    return this.withOpen(path, O_PATH, (fd) => this.#inside(readlinkSync(descriptorPath(fd))));
  }

  /** The path on the daemon's side of a file or folder that exists, every symlink resolved: for programs that take a path. */
  outside(path: string): string {
    return this.withOpen(path, O_PATH, (fd) => readlinkSync(descriptorPath(fd)));
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
