import { fstatSync, readSync } from "node:fs";
import { blocksOf, ReplyBytes } from "./content.ts";
import { ReplyRoom } from "./reply-room.ts";

const blockSize = 64 * 1024;
const lineEnd = 0x0a;

/** Where the `count`-th line of some bytes ends, or how many lines there are when they are fewer. */
function endOfLine(data: Buffer, count: number): { readonly end: number } | { readonly lines: number } {
  let lines = 0;
  for (let at = data.indexOf(lineEnd); at >= 0; at = data.indexOf(lineEnd, at + 1)) {
    lines++;
    if (lines === count) return { end: at + 1 };
  }
  return { lines };
}

/** The first `count` lines of what a descriptor holds. */
export function firstLines(fd: number, count: number, pulse: () => void): Buffer {
  const bytes = new ReplyBytes();
  let left = count;
  if (left <= 0) return Buffer.alloc(0);
  for (const block of blocksOf(fd, pulse, blockSize)) {
    const found = endOfLine(block, left);
    if ("end" in found) {
      bytes.add(block.subarray(0, found.end));
      break;
    }
    left -= found.lines;
    bytes.add(block);
  }
  return bytes.bytes();
}

/** All from line `first` on, counted from 1. */
export function linesFrom(fd: number, first: number, pulse: () => void): Buffer {
  const bytes = new ReplyBytes();
  let left = first - 1;
  for (const block of blocksOf(fd, pulse, blockSize)) {
    if (left <= 0) {
      bytes.add(block);
      continue;
    }
    const found = endOfLine(block, left);
    if ("end" in found) {
      bytes.add(block.subarray(found.end));
      left = 0;
    } else left -= found.lines;
  }
  return bytes.bytes();
}

/**
 * Where the last `count` lines of the bytes before `size` begin.
 * @param passed - told how many bytes of them a block holds that is full of them
 */
function startOfLast(fd: number, size: number, count: number, passed: (length: number) => void): number {
  const block = Buffer.allocUnsafe(blockSize);
  let left = count;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockSize);
    const length = readSync(fd, block, 0, end - start, start);
    // A line end at the very end ends the last line, it begins none.
    let at = end === size && block[length - 1] === lineEnd ? length - 2 : length - 1;
    for (; at >= 0; at--) {
      at = block.subarray(0, at + 1).lastIndexOf(lineEnd);
      if (at < 0) break;
      if (--left === 0) return start + at + 1;
    }
    passed(length);
    end = start;
  }
  return 0;
}

function readRange(fd: number, start: number, end: number): Buffer {
  new ReplyRoom().take(end - start);
  const data = Buffer.allocUnsafe(end - start);
  let length = 0;
  while (length < data.length) {
    const count = readSync(fd, data, length, data.length - length, start + length);
    if (count === 0) break;
    length += count;
  }
  return data.subarray(0, length);
}

/** The bytes of a file whose size its inode does not tell, as in /proc. */
function sizeOf(fd: number, pulse: () => void): number {
  const { size } = fstatSync(fd);
  if (size > 0) return size;
  let length = 0;
  for (const block of blocksOf(fd, pulse)) length += block.length;
  return length;
}

/** The last `count` lines. */
export function lastLines(fd: number, count: number, pulse: () => void): Buffer {
  if (count <= 0) return Buffer.alloc(0);
  const size = sizeOf(fd, pulse);
  const room = new ReplyRoom();
  const start = startOfLast(fd, size, count, (length) => room.take(length));
  return readRange(fd, start, size);
}

/** All but the last `count` lines. */
export function allButLastLines(fd: number, count: number, pulse: () => void): Buffer {
  const size = sizeOf(fd, pulse);
  return readRange(fd, 0, count <= 0 ? size : startOfLast(fd, size, count, pulse));
}
