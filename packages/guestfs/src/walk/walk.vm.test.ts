import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Guestfs } from "../index.ts";

// The find(1) and the kernel of the appliance, on a filesystem with inodes of its own.
const bundle = fileURLToPath(new URL("../../../guestfsd/dist/bundle/guestfsd.cjs", import.meta.url));
const skip = existsSync(bundle) ? false : "the daemon is not bundled: npm run build";

/** What two ways to ask have to agree on: being read gives folders a new time of access. */
function comparable(stat: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(stat).filter(([name]) => !/spare|blksize|atime/.test(name)));
}

test("a walk through a disk in an appliance", { skip }, async () => {
  await using g = new Guestfs({ environment: false });
  await g.addDriveScratch(128 * 1024 ** 2);
  await g.launch();
  await g.mkfs("ext4", "/dev/sda");
  await g.mount("/dev/sda", "/");
  await g.mkdirP("/a/b/c");
  await g.write("/a-b", new TextEncoder().encode("text"));
  await g.touch("/a/new\nline \udcff");
  await g.lnS("a\n/\udcff", "/link");
  await g.mkfifo(0o600, "/pipe");
  await g.mknodC(0o640, 4000, 1_000_000, "/character");
  await g.mknodB(0o640, 8, 17, "/a/block");
  await g.chmod(0o6711, "/a-b");
  await g.touch("/old");
  await g.utimens("/old", -2, 250_000_000, -2_000_000_000, 1);
  // More than goes over in one chunk.
  await g.fillDir("/a/b/c", 3000);
  const paths: string[] = [];
  for await (const { path, stat, target } of g.walk("/")) {
    paths.push(path);
    if (path.startsWith("/a/b/c/") && !path.endsWith("0")) continue;
    assert.deepEqual(comparable(stat), comparable(await g.lstatns(path)), path);
    assert.equal(target, path === "/link" ? "a\n/\udcff" : "");
  }
  assert.equal(paths.length, 3000 + 11);
  assert.deepEqual(paths.slice(0, 5), ["/a", "/a/b", "/a/b/c", "/a/b/c/00000000", "/a/b/c/00000001"]);
  assert.deepEqual(paths.slice(-8), [
    "/a/block",
    "/a/new\nline \udcff",
    "/a-b",
    "/character",
    "/link",
    "/lost+found",
    "/old",
    "/pipe",
  ]);
  assert.deepEqual((await g.find("/")).map((path) => `/${path}`).toSorted(), paths.toSorted());
});
