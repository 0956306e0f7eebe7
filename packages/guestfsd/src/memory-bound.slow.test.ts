import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RawClient, ReplyError, startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";

/** The most memory that a daemon has had, in MiB. */
function peak({ pid }: OwnDaemon): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Beside what the daemon has anyway, in MiB: a few messages, and what V8 has not collected yet. */
const most = 160;

/** What a call takes of memory, each in a daemon of its own; its result or the name of its error. */
async function cost(
  prepare: (sysroot: string) => void,
  use: (client: RawClient) => Promise<unknown>,
): Promise<{ readonly result: unknown; readonly growth: number }> {
  await using daemon = await startOwnDaemon();
  prepare(daemon.sysroot);
  const client = await RawClient.connect(daemon.socketPath);
  await client.call("ping_daemon");
  const before = peak(daemon);
  try {
    const result = await use(client).catch((error: unknown) => {
      assert.ok(error instanceof ReplyError, String(error));
      return error.errno;
    });
    return { result, growth: peak(daemon) - before };
  } finally {
    client.close();
    // What is too deep for rmSync.
    execFileSync("rm", ["-rf", daemon.sysroot]);
  }
}

async function assertTooLarge(
  prepare: (sysroot: string) => void,
  name: string,
  args: Record<string, unknown>,
): Promise<void> {
  const { result, growth } = await cost(prepare, (client) => client.call(name, args));
  assert.equal(result, "EFBIG");
  assert.ok(growth < most, `${growth} MiB`);
}

function file(sysroot: string): void {
  writeFileSync(join(sysroot, "f"), "");
}

const noAttributes = existsSync("/usr/bin/setfattr") ? false : "no setfattr (Debian package attr)";

test("attributes of more names than a reply holds", { skip: noAttributes }, async (t) => {
  let refused = false;
  const prepare = (sysroot: string): void => {
    file(sysroot);
    try {
      execFileSync("setfattr", ["-n", "user.a", "-v", "x".repeat(3500), join(sysroot, "f")], { stdio: "ignore" });
    } catch {
      refused = true;
    }
  };
  const names = Array<string>(100_000).fill("f");
  const { result, growth } = await cost(prepare, (client) => client.call("internal_lxattrlist", { path: "/", names }));
  if (refused) {
    t.skip("the filesystem of temporary files has no extended attributes");
    return;
  }
  assert.equal(result, "EFBIG");
  assert.ok(growth < most, `${growth} MiB`);
});

test("the state of more names than a reply holds", () =>
  assertTooLarge(file, "internal_lstatnslist", { path: "/", names: Array(500_000).fill("f") }));

test("links of more names than a reply holds", () =>
  assertTooLarge(
    (sysroot) => execFileSync("ln", ["-s", "x".repeat(4000), join(sysroot, "f")]),
    "internal_readlinklist",
    { path: "/", names: Array(100_000).fill("f") },
  ));

test("a pattern that matches more than a reply holds", () =>
  assertTooLarge(
    (sysroot) => {
      mkdirSync(join(sysroot, "d"));
      for (let i = 0; i < 1000; i++) writeFileSync(join(sysroot, "d", `${"n".repeat(200)}${i}`), "");
    },
    "glob_expand",
    { pattern: `/d/*{${",".repeat(9000)}}` },
  ));

test("a huge file is no hive, and is not read", async () => {
  for (const [content, errno] of [
    ["", "EFBIG"],
    ["regf", "EFBIG"],
  ] as const) {
    const prepare = (sysroot: string): void => {
      writeFileSync(join(sysroot, "f"), content);
      truncateSync(join(sysroot, "f"), 3e9);
    };
    const { result, growth } = await cost(prepare, (client) =>
      client.call("hivex_open", { filename: "/f", write: true }),
    );
    assert.equal(result, errno);
    assert.ok(growth < most, `${growth} MiB`);
  }
  const small = await cost(
    (sysroot) => writeFileSync(join(sysroot, "f"), "no hive"),
    (client) => client.call("hivex_open", { filename: "/f" }),
  );
  assert.equal(small.result, "ENOTSUP");
});

/** Deeper than a path can name. */
function deepTree(sysroot: string): void {
  const program = `
use POSIX;
chdir $ARGV[0] or die;
for (1 .. 3000) { mkdir "a" x 250 or die; chdir "a" x 250 or die; }
open my $f, ">", "f" or die;`;
  execFileSync("perl", ["-e", program, sysroot]);
}

test("checksums of a tree that is very deep", async () => {
  const { result, growth } = await cost(deepTree, (client) =>
    client.download("checksums_out", { csumtype: "md5", directory: "/" }),
  );
  assert.equal(
    (result as Buffer).toString(),
    `d41d8cd98f00b204e9800998ecf8427e  ./${`${"a".repeat(250)}/`.repeat(3000)}f\n`,
  );
  assert.ok(growth < most, `${growth} MiB`);
});

test("an archive of many long names", async () => {
  const count = 100_000;
  const prepare = (sysroot: string): void => {
    mkdirSync(join(sysroot, "d"));
    for (let i = 0; i < count; i++) writeFileSync(join(sysroot, "d", String(i).padStart(230, "0")), "");
  };
  const names = async (client: RawClient): Promise<number> => {
    const archive = await client.download("cpio_out", { directory: "/d" });
    return archive.toString("latin1").split("\x00070701").length;
  };
  const { result, growth } = await cost(prepare, names);
  assert.equal(result, count + 2);
  assert.ok(growth < 60, `${growth} MiB`);
});
