// Programs that are killed in the middle of something: nothing that they started outlives them, and nothing stays behind.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Guestfs } from "guestfs";

const folder = mkdtempSync(join(tmpdir(), "guestfs-killed-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const image = join(folder, "disk.img");
const here = fileURLToPath(new URL(".", import.meta.url));
before(() => writeFileSync(image, new Uint8Array(64 * 1024 ** 2)));

interface Program {
  readonly child: ChildProcess;
  readonly TMPDIR: string;
  /** All that carries its mark, itself too: those that it started, and those that these started. */
  processes(): string[];
  /** Waits until it says something. */
  said(word: string): Promise<void>;
  /** Names in its temporary folder. */
  left(): string[];
}

/** Runs a program that uses the library, with a temporary folder of its own. */
function run(text: string, environment: Record<string, string> = {}): Program {
  const mark = `GUESTFS_TEST_MARK=${randomUUID()}`;
  const temporary = mkdtempSync(join(folder, "tmp-"));
  const code = `import { Guestfs, GuestfsPool } from "guestfs"; const g = new Guestfs(); const image = ${JSON.stringify(image)}; ${text}`;
  const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "-e", code], {
    cwd: here,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      GUESTFS_TEST_MARK: mark.split("=")[1],
      TMPDIR: temporary,
      LIBGUESTFS_TMPDIR: temporary,
      ...environment,
    },
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (more: string) => (output += more));
  const carries = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark);
    } catch {
      return false;
    }
  };
  return {
    child,
    TMPDIR: temporary,
    processes: () => readdirSync("/proc").filter((name) => /^\d+$/.test(name) && carries(name)),
    async said(word) {
      while (!output.includes(word)) {
        assert.equal(child.exitCode, null, "the program ended by itself");
        await delay(5);
      }
    },
    // Of what its loader keeps there we know nothing.
    left: () => readdirSync(temporary).filter((name) => !name.startsWith("tsx-")),
  };
}

/** Kills it and waits until nothing that it started is left; tells how long that took. */
async function kill(program: Program, t: TestContext, what: string): Promise<void> {
  const before = program.processes();
  const ended = new Promise((resolve) => program.child.once("exit", resolve));
  const killed = performance.now();
  program.child.kill("SIGKILL");
  await ended;
  for (let waited = 0; program.processes().length > 0; waited++) {
    assert.ok(waited < 1000, `${what}: still there: ${program.processes().join(" ")}`);
    await delay(10);
  }
  t.diagnostic(`${what}: ${before.length} processes gone in ${(performance.now() - killed).toFixed(0)} ms`);
  if (program.left().length === 0) return;
  // Then it is for the next one to remove.
  const { TMPDIR } = program;
  const next = run(
    `await g.addDriveScratch(1); await g.addDrive(image, { readonly: true }); await g.launch(); await g.close();`,
    { TMPDIR, LIBGUESTFS_TMPDIR: TMPDIR },
  );
  await new Promise((resolve) => next.child.once("exit", resolve));
  assert.deepEqual(program.left(), [], what);
}

describe("a program is killed", () => {
  before(async () => {
    // The template is there.
    await using g = new Guestfs();
    await g.launch();
  });

  test("while it launches", { timeout: 300_000 }, async (t) => {
    for (const late of [0, 20, 50, 100, 150, 200, 300, 500]) {
      const program = run(`
        for (let i = 0; i < 9; i++) await g.addDrive(image, { format: "raw", readonly: true });
        console.log("launching");
        await g.launch();
        setInterval(() => undefined, 1000);
      `);
      await program.said("launching");
      await delay(late);
      await kill(program, t, `launching for ${late} ms`);
    }
  });

  test("with a handle that does nothing", async (t) => {
    const program = run(`
      await g.addDrive(image, { format: "raw", readonly: true });
      await g.launch();
      console.log("launched");
      setInterval(() => undefined, 1000);
    `);
    await program.said("launched");
    assert.ok(program.processes().length > 1);
    await kill(program, t, "idle");
  });

  test("while it uploads, by each of the two ways", async (t) => {
    for (const way of ["image", "(async function* () { for (;;) yield new Uint8Array(65536); })()"]) {
      const program = run(`
        await g.addDriveScratch(1024 ** 3);
        await g.launch();
        await g.mkfs("ext2", "/dev/sda");
        await g.mount("/dev/sda", "/");
        g.on("progress", () => undefined);
        const uploading = (async () => { for (let i = 0; ; i++) await g.upload(${way}, "/large" + i); })();
        console.log("uploading");
        await uploading;
      `);
      await program.said("uploading");
      await delay(300);
      await kill(program, t, "uploading");
    }
  });

  test("with a pool", async (t) => {
    const program = run(`
      const pool = new GuestfsPool({ size: 2 });
      await pool.ready();
      console.log("ready");
      setInterval(() => undefined, 1000);
    `);
    await program.said("ready");
    assert.ok(program.processes().length > 2);
    await kill(program, t, "a pool");
  });

  test("while it saves a template; the next program saves another", { timeout: 600_000 }, async (t) => {
    const cache = join(folder, "cache");
    const appliance = join(cache, "appliance");
    const own = new Guestfs().getCachedir();
    mkdirSync(cache, { mode: 0o700 });
    execFileSync("cp", ["-a", "--sparse=always", "--reflink=auto", join(own, "appliance"), cache]);
    for (const name of readdirSync(appliance).filter((entry) => entry.startsWith("template-")))
      rmSync(join(appliance, name), { recursive: true });
    const drafts = (): string[] => readdirSync(appliance).filter((name) => name.startsWith("saving-"));
    const saved = (): number => readdirSync(appliance).filter((name) => /^template-[0-9a-f]+$/.test(name)).length;
    const launch = `
      g.setVerbose(true);
      g.on("library", ({ message }) => console.log(message));
      g.on("appliance", () => undefined);
      await g.launch();
      await g.close();
      console.log("closed");
      setInterval(() => undefined, 1000);
    `;
    const steps = [
      ["saving a template", "daemon is up", "state is saved"],
      ["rehearsing", "daemon is warm", "state is saved"],
    ];
    for (const [done, moments] of steps.entries()) {
      for (const moment of moments) {
        const program = run(launch, { LIBGUESTFS_CACHEDIR: cache });
        await program.said(moment);
        await kill(program, t, moment);
        assert.equal(saved(), done, moment);
        assert.ok(drafts().length <= 1, drafts().join(" "));
      }
      const next = run(launch, { LIBGUESTFS_CACHEDIR: cache });
      await next.said("closed");
      assert.equal(saved(), done + 1);
      assert.deepEqual(drafts(), []);
      await kill(next, t, "the next one");
    }
  });
});
