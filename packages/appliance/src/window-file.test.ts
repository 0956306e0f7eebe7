import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { windowSize } from "@guestfs/protocol";
import { makeWindowFile } from "./window-file.ts";

test("the window's file has its size, all of it there, no name, and nobody else's rights", async () => {
  const { file, hasRoom } = await makeWindowFile();
  try {
    const { size, nlink, mode, blocks } = await file.stat();
    assert.deepEqual({ size, nlink, mode: mode & 0o777 }, { size: windowSize, nlink: 0, mode: 0o600 });
    assert.deepEqual([blocks * 512 >= windowSize, hasRoom], [true, true]);
  } finally {
    await file.close();
  }
});

const isRoot = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0;

test(
  "a full place is passed over; with no room anywhere it says so",
  { skip: !isRoot && "only root mounts" },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "window-test-"));
    t.after(() => rm(folder, { recursive: true }));
    const module = new URL("./window-file.ts", import.meta.url).href;
    const program = `
    const { makeWindowFile } = await import(${JSON.stringify(module)});
    for (const folders of [["${folder}", "/dev/shm"], ["${folder}", "${folder}"]]) {
      const { file, hasRoom } = await makeWindowFile(folders);
      console.log(hasRoom, (await file.stat()).size);
      await file.close();
    }`;
    const line = `mount -t tmpfs -o size=64k none ${folder} && exec "$@"`;
    const node = [
      process.execPath,
      "--conditions=source",
      "--import",
      import.meta.resolve("tsx"),
      "--input-type=module",
    ];
    const { stdout, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", line, "sh", ...node, "-e", program]);
    assert.equal(stdout.toString(), `true ${windowSize}\nfalse ${windowSize}\n`, stderr.toString());
  },
);
