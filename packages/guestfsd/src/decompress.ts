import { readSync } from "node:fs";
import { run } from "./exec.ts";
import { lseek } from "./native/file.ts";

const formats: readonly { readonly magic: readonly number[]; readonly command: readonly string[] }[] = [
  { magic: [0x1f, 0x8b], command: ["gzip", "-dc"] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: ["xz", "-dc"] },
  { magic: [0x5d, 0x00, 0x00], command: ["xz", "--format=lzma", "-dc"] },
  { magic: [0x42, 0x5a, 0x68], command: ["bzip2", "-dc"] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], command: ["zstd", "-dc"] },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], command: ["lzop", "-dc"] },
  { magic: [0x04, 0x22, 0x4d, 0x18], command: ["lz4", "-dc"] },
  { magic: [0x02, 0x21, 0x4c, 0x18], command: ["lz4", "-dc"] },
];

/** The program that unpacks what begins at an offset of a file; `undefined` when it is not compressed. */
export function decompressorOf(fd: number, offset = 0): readonly string[] | undefined {
  const head = Buffer.alloc(6);
  readSync(fd, head, 0, head.length, offset);
  return formats.find(({ magic }) => magic.every((byte, i) => head[i] === byte))?.command;
}

class EnoughError extends Error {}

/**
 * Unpacks a file from an offset on.
 * @param sink - takes the content piece by piece; returns `true` when it needs no more
 */
export function decompress(
  command: readonly string[],
  fd: number,
  offset: number,
  sink: (data: Buffer) => boolean,
  pulse: () => void,
): void {
  lseek(fd, offset, 0);
  try {
    run(command, {
      stdin: fd,
      pulse,
      // What stands behind the compressed data makes some programs complain at the end.
      accept: [0, 1, 2],
      stdout(data) {
        if (sink(data as Buffer)) throw new EnoughError();
      },
    });
  } catch (error) {
    if (!(error instanceof EnoughError)) throw error;
  }
}
