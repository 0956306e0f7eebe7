import assert from "node:assert/strict";
import { closeSync, constants, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFileSize, openType, pathType } from "./stat.ts";

const { S_IFCHR, S_IFDIR, S_IFREG } = constants;
const folder = mkdtempSync(join(tmpdir(), "stat-test-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "file");
writeFileSync(file, "");
truncateSync(file, 5_000_000_000);
symlinkSync("file", join(folder, "link"));
symlinkSync("nowhere", join(folder, "dangling"));

function withOpen<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

test("only a regular file has a size", () => {
  assert.equal(withOpen(file, openFileSize), 5_000_000_000);
  for (const path of [folder, "/dev/null"]) assert.equal(withOpen(path, openFileSize), undefined);
});

test("what lies at a path, symlinks followed; nothing is no error, a loop is one", () => {
  for (const [path, type] of [
    [file, S_IFREG],
    [join(folder, "link"), S_IFREG],
    [folder, S_IFDIR],
    ["/dev/null", S_IFCHR],
    [join(folder, "dangling"), undefined],
    [join(folder, "absent"), undefined],
    [join(file, "below"), undefined],
  ] as const)
    assert.equal(pathType(path), type, path);
  symlinkSync("loop", join(folder, "loop"));
  assert.throws(() => pathType(join(folder, "loop")), { code: "ELOOP" });
});

test("what is open", () => {
  assert.equal(withOpen(folder, openType), S_IFDIR);
  assert.equal(withOpen("/dev/null", openType), S_IFCHR);
});
