import { closeSync, constants } from "node:fs";
import { blocksOf } from "../content.ts";
import type { OutputContext } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { DT_REG, openAt } from "../native/directory.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../native/file.ts";
import { walkTree } from "../tree-walk.ts";

const hashes = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/** A type of checksum, in letters of any case. @throws DaemonError when there is no such one */
function typeNamed(text: string): string {
  const type = text.toLowerCase();
  if (type === "crc" || hashes.includes(type)) return type;
  throw new DaemonError(`${type}: unknown type of checksum, expecting one of crc, ${hashes.join(", ")}`);
}

/** cksum(1): the sum and the length. */
function crcOf(fd: number, pulse: () => void): string {
  return run(["cksum"], { stdin: fd, pulse }).stdout.toString("latin1").trim();
}

function digestOf(type: string, fd: number, pulse: () => void): string {
  // Loading it takes a good part of a daemon's start, and few need it.
  const hash = process.getBuiltinModule("node:crypto").createHash(type);
  for (const block of blocksOf(fd, pulse, 1024 * 1024)) hash.update(block);
  return hash.digest("hex");
}

/**
 * The checksum of what a descriptor holds from its place on: hexadecimal digits, or for `crc` the decimal
 * number of cksum(1).
 */
export function checksumOf(text: string, fd: number, pulse: () => void): string {
  const type = typeNamed(text);
  return type === "crc" ? (crcOf(fd, pulse).split(" ")[0] ?? "") : digestOf(type, fd, pulse);
}

/** A line as the programs of coreutils write them; a name with a line end or a backslash is escaped and marked. */
function sumLine(sum: string, separator: string, name: Buffer): Buffer {
  let [mark, shown] = ["", name];
  if (name.includes(0x0a) || name.includes(0x5c)) {
    mark = "\\";
    shown = Buffer.from(name.toString("latin1").replaceAll("\\", "\\\\").replaceAll("\n", "\\n"), "latin1");
  }
  return Buffer.concat([Buffer.from(`${mark}${sum}${separator}`), shown, Buffer.from("\n")]);
}

/** Sends a line with the checksum of each regular file below a folder. */
export function checksumTree(text: string, directory: string, context: OutputContext): void {
  const type = typeNamed(text);
  const here = Buffer.from("./");
  const { pulse } = context;
  context.sysroot.withOpen(directory, constants.O_RDONLY | O_DIRECTORY, (top) => {
    for (const { prefix, name, type: kind, folder } of walkTree(top, pulse)) {
      if (kind !== DT_REG) continue;
      const path = Buffer.concat([here, prefix, name]);
      const fd = openAt(folder, name, constants.O_RDONLY | O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const line =
          type === "crc" ? sumLine(crcOf(fd, pulse), " ", path) : sumLine(digestOf(type, fd, pulse), "  ", path);
        context.output.write(line);
      } finally {
        closeSync(fd);
      }
    }
  });
}
