import assert from "node:assert/strict";
import { closeSync, constants, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { DirectWriter } from "./direct-writer.ts";
import { alignedMemory } from "./native/memory-map.ts";
import { statusFlags } from "./native/file.ts";

// Not in memory, where there is no O_DIRECT.
const folders = [mkdtempSync(join(tmpdir(), "direct-test-"))].concat(
  tmpdir().startsWith("/dev/shm") ? [] : [mkdtempSync("/dev/shm/direct-test-")],
);
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});
const memory = alignedMemory(64 * 1024);
for (let at = 0; at < memory.length; at++) memory[at] = (at * 7) % 251;

for (const folder of folders)
  for (const [what, lengths, start] of [
    ["whole blocks", [65536, 8192, 4096], 0],
    ["an end that is no block", [65536, 100], 0],
    ["blocks behind an odd piece", [8192, 3, 8192, 4096], 0],
    ["blocks at an odd place", [8192, 8192], 1000],
    ["nothing", [], 0],
  ] as const)
    test(`in ${folder}: ${what}`, () => {
      const path = join(folder, "file");
      const fd = openSync(path, "w");
      const flags = statusFlags(fd);
      try {
        ftruncateSync(fd, 0);
        writeSync(fd, Buffer.alloc(start, 1));
        const writer = new DirectWriter(fd);
        for (const length of lengths) writer.write(memory.subarray(0, length));
        writer.end();
        assert.equal(statusFlags(fd) & constants.O_DIRECT, 0);
        assert.equal(statusFlags(fd), flags);
      } finally {
        closeSync(fd);
      }
      const expected = Buffer.concat([Buffer.alloc(start, 1), ...lengths.map((length) => memory.subarray(0, length))]);
      assert.equal(Buffer.compare(readFileSync(path), expected), 0);
    });

test("a descriptor that can't be written tells why", () => {
  const fd = openSync("/dev/null", "r");
  try {
    const writer = new DirectWriter(fd);
    assert.throws(() => writer.write(memory.subarray(0, 4096)), { code: "EBADF" });
    writer.end();
  } finally {
    closeSync(fd);
  }
});
