import { fstatSync, readSync } from "node:fs";
import { CpioReader } from "./cpio-reader.ts";
import type { CpioEntry, CpioSink } from "./cpio-reader.ts";
import { DaemonError } from "./daemon-error.ts";
import { decompress, decompressorOf } from "./decompress.ts";

const blockSize = 256 * 1024;

/** What is done with each file of an initrd: look at it, and take its content or not. */
export interface InitrdVisitor {
  visit(entry: CpioEntry): CpioSink | undefined;
  /** Asked now and then: whether the rest is of no interest. */
  enough(): boolean;
}

/** The first byte at or after a place that is not zero: archives in an initrd have zeros between them. */
function skipZeros(fd: number, from: number, pulse: () => void): number | undefined {
  const block = Buffer.allocUnsafe(blockSize);
  for (let at = from; ;) {
    const count = readSync(fd, block, 0, blockSize, at);
    if (count === 0) return undefined;
    const found = block.subarray(0, count).findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
    at += count;
    pulse();
  }
}

function isCpio(fd: number, offset: number): boolean {
  const magic = Buffer.alloc(6);
  readSync(fd, magic, 0, 6, offset);
  return /^07070[12]$/.test(magic.toString("latin1"));
}

/** Reads an archive that is not compressed. @returns where it ends */
function readPlain(fd: number, offset: number, visitor: InitrdVisitor, pulse: () => void): number {
  const reader = new CpioReader((entry) => visitor.visit(entry));
  const block = Buffer.allocUnsafe(blockSize);
  let at = offset;
  while (!reader.ended && !visitor.enough()) {
    const count = readSync(fd, block, 0, blockSize, at);
    if (count === 0) break;
    at += reader.push(block.subarray(0, count));
    pulse();
  }
  return at;
}

/** A sink for a stream of archives one behind the other. */
function archiveStream(visitor: InitrdVisitor): (data: Buffer) => boolean {
  let reader: CpioReader | undefined;
  return (data) => {
    for (let at = 0; at < data.length && !visitor.enough();) {
      if (!reader || reader.ended) {
        if (data[at] === 0) {
          at += 1;
          continue;
        }
        // Behind an archive anything may stand; only before one must it be an archive.
        if (reader?.ended && data[at] !== 0x30) return true;
        reader = new CpioReader((entry) => visitor.visit(entry));
      }
      at += reader.push(data.subarray(at));
    }
    return visitor.enough();
  };
}

/**
 * Goes through an initrd: cpio archives one behind the other, the last one compressed or not.
 * @throws DaemonError when it is none
 */
export function readInitrd(fd: number, visitor: InitrdVisitor, pulse: () => void): void {
  const { size } = fstatSync(fd);
  const next = (from: number): number | undefined => skipZeros(fd, from, pulse);
  let seen = false;
  for (let at = next(0); at !== undefined && at < size && !visitor.enough(); at = next(at)) {
    if (isCpio(fd, at)) {
      at = readPlain(fd, at, visitor, pulse);
      seen = true;
      continue;
    }
    const command = decompressorOf(fd, at);
    if (command) decompress(command, fd, at, archiveStream(visitor), pulse);
    else if (!seen) break;
    return;
  }
  if (!seen) throw new DaemonError("not an initrd: neither a cpio archive nor compressed data", "EINVAL");
}
