import { constants, lstatSync, readSync } from "node:fs";
import { decodeText, encodeText } from "@guestfs/protocol";
import { aboutPath } from "../about-path.ts";
import { architectureHead, architectureOf } from "../architecture.ts";
import { withContent, withDeviceOrFile } from "../content.ts";
import type { Context, HandlersOf } from "../context.ts";
import type { CpioSink } from "../cpio-reader.ts";
import { DaemonError } from "../daemon-error.ts";
import { decompress, decompressorOf } from "../decompress.ts";
import { readInitrd } from "../initrd.ts";
import { isDots, readDirectory } from "../native/directory.ts";
import { O_DIRECTORY, O_PATH } from "../native/file.ts";
import { describeDescriptor } from "../native/magic.ts";
import { fsPath } from "../sysroot.ts";

/** What a path shows by itself, without a look into a file. */
function kindOf(context: Context, path: string): string | undefined {
  const stat = context.sysroot.withPlace(path, (place) => lstatSync(fsPath(place.path)));
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symbolic link";
  if (stat.isBlockDevice()) return "block device";
  if (stat.isCharacterDevice()) return "character device";
  if (stat.isFIFO()) return "FIFO";
  if (stat.isSocket()) return "socket";
  return undefined;
}

/** Programs that an initrd is sure to have one of. */
const initrdPrograms = /^(?:\.?\/)?(?:usr\/)?s?bin\/(?:ls|rm|modprobe|sh|bash|dash|nash|busybox|kmod|mount|udevadm)$/;

/** Gathers the first bytes of a stream. */
function headSink(): { readonly head: () => Buffer; readonly full: () => boolean; readonly take: CpioSink } {
  let head: Buffer = Buffer.alloc(0);
  const full = (): boolean => head.length >= architectureHead;
  return {
    head: () => head,
    full,
    take(data) {
      if (!full()) head = Buffer.concat([head, data.subarray(0, architectureHead - head.length)]);
    },
  };
}

/** The architecture of the first program in an initrd that has one. */
function initrdArchitecture(fd: number, pulse: () => void): string | undefined {
  let found: string | undefined;
  let current: ReturnType<typeof headSink> | undefined;
  const look = (): void => {
    found ??= current && architectureOf(current.head());
  };
  readInitrd(
    fd,
    {
      visit({ name }) {
        look();
        current = initrdPrograms.test(name) ? headSink() : undefined;
        return current?.take;
      },
      enough() {
        if (current?.full()) look();
        return found !== undefined;
      },
    },
    pulse,
  );
  look();
  return found;
}

function fileArchitecture(context: Context, path: string): string {
  return withContent(context, path, (fd) => {
    const start = Buffer.alloc(architectureHead);
    let head: Buffer = start.subarray(0, readSync(fd, start, 0, start.length, 0));
    const command = decompressorOf(fd);
    if (command) {
      const sink = headSink();
      decompress(command, fd, 0, (data) => (sink.take(data), sink.full()), context.pulse);
      head = sink.head();
    }
    const found = architectureOf(head);
    if (found !== undefined) return found;
    if (/^07070[12]/.test(head.toString("latin1", 0, 6))) {
      const inside = initrdArchitecture(fd, context.pulse);
      if (inside !== undefined) return inside;
    }
    throw new DaemonError(`${path}: no architecture can be told from what it holds`, "EINVAL");
  });
}

/** ASCII letters made small, as strcasecmp(3) sees names in the C locale. */
function folded(name: Uint8Array): string {
  return Buffer.from(name)
    .toString("latin1")
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The entry of a folder whose name is `wanted` but for the case of its letters; the same spelling goes first. */
function findName(context: Context, folder: string, wanted: string): string | undefined {
  const bytes = Buffer.from(encodeText(wanted));
  const small = folded(bytes);
  let exact = false;
  let found: string | undefined;
  context.sysroot.withOpen(folder || "/", constants.O_RDONLY | O_DIRECTORY, (fd) =>
    readDirectory(fd, ({ name }) => {
      context.pulse();
      if (isDots(name) || exact || name.length !== bytes.length) return;
      exact = name.equals(bytes);
      if (exact || (found === undefined && folded(name) === small)) found = decodeText(name);
    }),
  );
  return found;
}

function caseSensitivePath(context: Context, path: string): string {
  const elements = path.split("/").filter((element) => element !== "");
  if (elements.some((element) => element === "." || element === ".."))
    throw new DaemonError(`${path}: the path has . or .. in it`, "EINVAL");
  let found = "";
  for (const [index, element] of elements.entries()) {
    const name = findName(context, found, element);
    // The last element may be something that is still to be made.
    if (name === undefined && (index < elements.length - 1 || path.endsWith("/")))
      throw new DaemonError(`${path}: no '${element}' in ${found || "/"}`, "ENOENT");
    found += `/${name ?? element}`;
  }
  if (path.endsWith("/"))
    aboutPath(path, () => context.sysroot.withOpen(found || "/", O_PATH | O_DIRECTORY, () => undefined));
  return found || "/";
}

/** What a file is. */
export const fileType: Pick<HandlersOf<"file">, "case_sensitive_path" | "file" | "file_architecture"> = {
  case_sensitive_path: ({ path }, context) => caseSensitivePath(context, path),
  file({ path }, context) {
    const kind = path.startsWith("/dev/") ? undefined : kindOf(context, path);
    return kind ?? withDeviceOrFile(context, path, constants.O_RDONLY, describeDescriptor);
  },
  file_architecture: ({ filename }, context) => fileArchitecture(context, filename),
};
