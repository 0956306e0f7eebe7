import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PiecewiseTransfer, readBlocking, readNow, writeAll, writeNow } from "./descriptor.ts";

const page = 4096;
const content = Buffer.from(Array.from({ length: 3 * page + 10 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));

function withFile(flags: string, use: (fd: number, path: string) => void): void {
  const path = join(tmpdir(), `guestfsd-descriptor-${process.pid}`);
  writeFileSync(path, content);
  const fd = openSync(path, flags);
  try {
    use(fd, path);
  } finally {
    closeSync(fd);
    rmSync(path);
  }
}

test("whole pieces are read to where they belong, wherever in memory that is, and nothing beside them", () => {
  withFile("r", (fd) => {
    const reader = new PiecewiseTransfer(page, 2);
    const memory = new Uint8Array(8 * page);
    assert.equal(reader.readNow(fd, memory.subarray(13, 13 + 2 * page + 5)), 2 * page);
    assert.deepEqual(Buffer.from(memory.subarray(13, 13 + 2 * page)), content.subarray(0, 2 * page));
    assert.ok(memory.subarray(13 + 2 * page).every((byte) => byte === 0));
    // Other memory, of which one piece is offered.
    const other = new Uint8Array(2 * page);
    assert.equal(reader.readNow(fd, other.subarray(1, 1 + page)), page);
    assert.deepEqual(Buffer.from(other.subarray(1, 1 + page)), content.subarray(2 * page, 3 * page));
    assert.equal(reader.readNow(fd, memory), 10);
    assert.equal(reader.readNow(fd, memory), 0);
  });
});

test("reading and writing in one piece, and what fails has its errno", () => {
  withFile("r+", (fd, path) => {
    const start = Buffer.alloc(20);
    assert.equal(readBlocking(fd, start), 20);
    assert.deepEqual(start, content.subarray(0, 20));
    writeAll(fd, Buffer.from("written"));
    assert.equal(readFileSync(path).subarray(20, 27).toString(), "written");
  });
  assert.throws(() => readNow(-1, Buffer.alloc(4)), { code: "EBADF" });
  assert.throws(() => readBlocking(-1, Buffer.alloc(4)), { code: "EBADF" });
  assert.throws(() => writeAll(-1, Buffer.alloc(4)), { code: "EBADF" });
});

test("whole pieces are written from where they are, and the rest is left", () => {
  withFile("r+", (fd, path) => {
    const pieces = new PiecewiseTransfer(100, 3);
    const memory = Buffer.alloc(1000, "x");
    memory.fill("y", 7, 257);
    assert.equal(pieces.writeNow(fd, memory.subarray(7, 257)), 200);
    assert.equal(pieces.writeNow(fd, memory.subarray(257)), 300);
    assert.equal(readFileSync(path).subarray(0, 500).toString(), "y".repeat(200) + "x".repeat(300));
    assert.equal(writeNow(fd, Buffer.from("z")), 1);
    assert.equal(readFileSync(path)[500], 0x7a);
  });
  assert.throws(() => writeNow(-1, Buffer.alloc(4)), { code: "EBADF" });
});
