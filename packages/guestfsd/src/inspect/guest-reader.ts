import { closeSync, constants, fstatSync, opendirSync, readSync } from "node:fs";
import { decodeText } from "@guestfs/protocol";
import { architectureHead, architectureOf } from "../architecture.ts";
import { O_DIRECTORY, O_PATH } from "../native/file.ts";
import { descriptorPath } from "../sysroot.ts";
import type { Sysroot } from "../sysroot.ts";

const fileMax = 2 * 1024 * 1024;
const namesMax = 100_000;

/** Looks at files of a guest that may be anything: what is missing, odd or too large is as if it were not there. */
export class GuestReader {
  readonly sysroot: Sysroot;

  constructor(sysroot: Sysroot) {
    this.sysroot = sysroot;
  }

  #try<T>(path: string, flags: number, use: (fd: number) => T): T | undefined {
    let fd: number;
    try {
      fd = this.sysroot.open(path, flags);
    } catch {
      return undefined;
    }
    try {
      return use(fd);
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  isDirectory(path: string): boolean {
    return this.#try(path, O_PATH, (fd) => fstatSync(fd).isDirectory()) ?? false;
  }

  isFile(path: string): boolean {
    return this.#try(path, O_PATH, (fd) => fstatSync(fd).isFile()) ?? false;
  }

  isCharacterDevice(path: string): boolean {
    return this.#try(path, O_PATH, (fd) => fstatSync(fd).isCharacterDevice()) ?? false;
  }

  /** A folder, or the symlink that stands for one on another filesystem. */
  isDirectoryOrLink(path: string): boolean {
    if (this.isDirectory(path)) return true;
    const O_NOFOLLOW = 0o400000;
    return this.#try(path, O_PATH | O_NOFOLLOW, (fd) => fstatSync(fd).isSymbolicLink()) ?? false;
  }

  /** The first bytes of a file. */
  head(path: string, length: number): Buffer | undefined {
    return this.#try(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, (fd) => {
      if (!fstatSync(fd).isFile()) return undefined;
      const buffer = Buffer.alloc(length);
      let at = 0;
      while (at < length) {
        const count = readSync(fd, buffer, at, length - at, at);
        if (count === 0) break;
        at += count;
      }
      return buffer.subarray(0, at);
    });
  }

  /** The lines of a small text file, empty when there is none. */
  lines(path: string): string[] {
    const content = this.head(path, fileMax);
    if (content === undefined || content.length === 0) return [];
    return decodeText(content).replaceAll("\0", "").split(/\r?\n/);
  }

  /** The first line, `undefined` when it is missing or empty. */
  firstLine(path: string): string | undefined {
    return this.lines(path)[0]?.trim() || undefined;
  }

  /** Names in a folder. */
  names(path: string): string[] {
    const listed = this.#try(path, constants.O_RDONLY | O_DIRECTORY, (fd) => {
      const folder = opendirSync(descriptorPath(fd), { encoding: "buffer" as BufferEncoding });
      try {
        const names: string[] = [];
        for (let entry = folder.readSync(); entry && names.length < namesMax; entry = folder.readSync())
          names.push(decodeText(entry.name as unknown as Uint8Array));
        return names;
      } finally {
        folder.closeSync();
      }
    });
    return listed ?? [];
  }

  /** The path as the disk has it, letters' case ignored; `undefined` when there is none. */
  resolveIgnoringCase(path: string): string | undefined {
    let found = "";
    for (const element of path.split("/").filter(Boolean)) {
      const wanted = element.toLowerCase();
      const names = this.names(found || "/");
      const name =
        names.find((candidate) => candidate === element) ??
        names.find((candidate) => candidate.toLowerCase() === wanted);
      if (name === undefined) return undefined;
      found += `/${name}`;
    }
    return found || "/";
  }

  /** The architecture of the first of these programs that tells it. */
  architecture(paths: readonly string[]): string | undefined {
    for (const path of paths) {
      const head = this.head(path, architectureHead);
      const arch = head && architectureOf(head);
      if (arch !== undefined) return arch;
    }
    return undefined;
  }
}
