import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CancelledError, Guestfs, RemoteError } from "../index.ts";

// Through an appliance, where large content goes through the window and past the guest's page cache.
const MiB = 1024 * 1024;
const bundle = fileURLToPath(new URL("../../../guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));
const skip = existsSync(bundle) ? false : "the daemon is not bundled: npm run build";
const folder = mkdtempSync(join(tmpdir(), "upload-test-"));
const g = new Guestfs({ environment: false });

function content(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
  return bytes;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("large content", { skip }, () => {
  before(async () => {
    for (const name of ["disk", "device"]) {
      writeFileSync(join(folder, name), "");
      truncateSync(join(folder, name), 64 * MiB);
      await g.addDrive(join(folder, name), { format: "raw" });
    }
    await g.launch();
    await g.mkfs("ext4", "/dev/sda");
    await g.mount("/dev/sda", "/");
  });

  after(async () => {
    await g.close();
    rmSync(folder, { recursive: true });
  });

  for (const size of [1000, 256 * 1024, 4 * MiB, 9 * MiB + 4097])
    test(`${size} bytes up, and down again, are the same`, async () => {
      const bytes = content(size);
      const source = join(folder, "source");
      writeFileSync(source, bytes);
      for (const from of [source, bytes, Readable.from([bytes.subarray(0, 777), bytes.subarray(777)])]) {
        await g.upload(from, "/file");
        assert.equal(await g.checksum("sha256", "/file"), digest(bytes));
      }
      const back = join(folder, "back");
      await g.download("/file", back);
      assert.equal(digest(readFileSync(back)), digest(bytes));
      await g.rm("/file");
    });

  test("a place in a file that is on no block, and one on a device", async () => {
    const bytes = content(3 * MiB + 5);
    await g.upload(content(5 * MiB), "/file");
    const expected = content(5 * MiB);
    expected.set(bytes, 1001);
    await g.uploadOffset(bytes, "/file", 1001);
    assert.equal(await g.checksum("sha256", "/file"), digest(expected));
    const part = join(folder, "part");
    await g.downloadOffset("/file", part, 999, 4 * MiB);
    assert.equal(digest(readFileSync(part)), digest(expected.subarray(999, 999 + 4 * MiB)));
    await g.upload(expected, "/dev/sdb");
    assert.equal(digest(await g.preadDevice("/dev/sdb", 3 * MiB, 0)), digest(expected.subarray(0, 3 * MiB)));
    await g.rm("/file");
  });

  test("a full disk and a caller who gives up end an upload, and the next one works", async () => {
    await assert.rejects(
      g.upload(content(80 * MiB), "/big"),
      (error) => error instanceof RemoteError && error.errno === "ENOSPC",
    );
    await g.rm("/big");
    const stop = new AbortController();
    const endless = function* (): Iterable<Uint8Array> {
      for (let piece = 0; ; piece++) {
        if (piece === 20) stop.abort();
        yield content(MiB);
      }
    };
    await assert.rejects(g.upload(endless(), "/big", { signal: stop.signal }), CancelledError);
    await g.rm("/big");
    await assert.rejects(g.upload(content(8 * MiB), "/no/such/folder"), RemoteError);
    await g.upload(content(5 * MiB), "/file");
    assert.equal(await g.checksum("sha256", "/file"), digest(content(5 * MiB)));
  });
});
