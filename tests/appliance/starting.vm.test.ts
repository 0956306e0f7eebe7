import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ConnectionClosedError, Guestfs, LaunchError } from "guestfs";

// 200 by hand: GUESTFS_TEST_PROGRAMS=200
const programs = Number(process.env["GUESTFS_TEST_PROGRAMS"] ?? 10);
const MiB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), "guestfs-starting-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const image = join(folder, "disk.img");
const guestfish = fileURLToPath(new URL("../../packages/guestfish/bin/guestfish.js", import.meta.url));

interface Started {
  readonly g: Guestfs;
  readonly temporary: string;
  /** What the library said. */
  readonly said: readonly string[];
}

async function start(configure: (g: Guestfs) => void = () => undefined): Promise<Started> {
  const temporary = mkdtempSync(join(folder, "tmp-"));
  const said: string[] = [];
  const g = new Guestfs();
  g.setTmpdir(temporary);
  g.setVerbose(true);
  g.on("library", ({ message }) => void said.push(message));
  g.on("appliance", () => undefined);
  configure(g);
  await g.addDrive(image, { format: "raw", readonly: true });
  await g.launch();
  return { g, temporary, said };
}

/** Looks for what it should see, and that nothing is left when it is closed. */
async function works({ g, temporary }: Started): Promise<void> {
  await g.mount("/dev/sda", "/");
  assert.equal(await g.cat("/hello"), "hello\n");
  const pid = g.getPid();
  await g.close();
  assert.deepEqual(readdirSync(temporary), []);
  assert.equal(existsSync(`/proc/${pid}`), false);
}

before(async () => {
  await using g = new Guestfs();
  await g.diskCreate(image, "raw", 16 * MiB);
  await g.addDrive(image, { format: "raw" });
  await g.launch();
  await g.mkfs("ext2", "/dev/sda");
  await g.mount("/dev/sda", "/");
  await g.write("/hello", Buffer.from("hello\n"));
});

describe("starting", () => {
  test("QEMU is killed while it restores: booted in the same call", { timeout: 600_000 }, async () => {
    for (const seconds of ["0.05", "0.15"]) {
      const hv = join(folder, "qemu-killed");
      const kill = `case "$*" in *-incoming*) (exec 3>&- 4>&- 5>&-; sleep ${seconds}; kill -9 $$) & ;; esac`;
      writeFileSync(hv, `#!/bin/sh\n${kill}\nexec qemu-system-x86_64 "$@"\n`);
      chmodSync(hv, 0o755);
      const started = await start((g) => g.setHv(hv));
      assert.match(started.said.join("\n"), /no template: /);
      await works(started);
    }
  });

  test("QEMU is killed while a drive is added: an error in bounded time, and nothing is left", async () => {
    for (const late of [0, 10, 30]) {
      const { g, temporary } = await start();
      const pid = g.getPid();
      const adding = g.addDrive(image, { format: "raw", readonly: true, label: "more" });
      await Promise.all([
        delay(late).then(() => process.kill(pid, "SIGKILL")),
        // It may have been added by then.
        adding.catch((error: unknown) => assert.ok(error instanceof Error && !(error instanceof TypeError))),
      ]);
      await assert.rejects(g.pingDaemon(), (error) => error instanceof ConnectionClosedError || error instanceof Error);
      await g.close().catch(() => undefined);
      assert.deepEqual(readdirSync(temporary), []);
      assert.equal(existsSync(`/proc/${pid}`), false);
    }
  });

  test(`${programs} programs in the same moment`, { timeout: 1_200_000 }, async () => {
    const args = ["--ro", "-a", image, "-m", "/dev/sda", "cat", "/hello"];
    const run = async (): Promise<string> => (await promisify(execFile)(process.execPath, [guestfish, ...args])).stdout;
    const outputs = await Promise.all(Array.from({ length: programs }, run));
    assert.deepEqual(new Set(outputs), new Set(["hello\n\n"]));
  });
});

describe("the cache", () => {
  let cache = "";
  before(() => {
    cache = join(folder, "cache");
    const own = new Guestfs().getCachedir();
    mkdirSync(cache);
    execFileSync("cp", ["-a", "--sparse=always", "--reflink=auto", join(own, "appliance"), cache]);
  });
  const templates = (): string[] =>
    readdirSync(join(cache, "appliance"))
      .filter((name) => /^template-[0-9a-f]+$/.test(name))
      .map((name) => join(cache, "appliance", name));

  test("times of another clock", async () => {
    for (const time of [1, 4_000_000_000]) {
      for (const name of readdirSync(join(cache, "appliance"))) utimesSync(join(cache, "appliance", name), time, time);
      const started = await start((g) => g.setCachedir(cache));
      assert.doesNotMatch(started.said.join("\n"), /no template/);
      await works(started);
    }
  });

  test("a state that was cut: another is made in the same call", { timeout: 600_000 }, async () => {
    for (const template of templates()) truncateSync(join(template, "state"), 100_000);
    const started = await start((g) => g.setCachedir(cache));
    assert.match(started.said.join("\n"), /state is not as it was saved/);
    await works(started);
  });

  test("it is deleted while an appliance runs from it: that one goes on", async () => {
    const copy = join(folder, "copy");
    execFileSync("cp", ["-a", "--sparse=always", "--reflink=auto", cache, copy]);
    const started = await start((g) => g.setCachedir(copy));
    rmSync(copy, { recursive: true });
    await works(started);
  });

  test(
    "it belongs to someone else",
    { skip: process.geteuid?.() !== 0 && "only root can give files away" },
    async () => {
      chownSync(join(cache, "appliance"), 65534, 65534);
      try {
        const started = await start((g) => g.setCachedir(cache)).catch((error: unknown) => error);
        if (started instanceof LaunchError) assert.match(started.message, /belongs to|owner/);
        else if (started instanceof Error) throw started;
        else await works(started as Started);
      } finally {
        chownSync(join(cache, "appliance"), 0, 0);
      }
    },
  );
});
