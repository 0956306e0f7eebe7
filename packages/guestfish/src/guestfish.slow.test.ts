import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startStockDaemon, whyNoStockDaemon } from "@guestfs/testkit";

// The whole program in a process of its own.

const reason = whyNoStockDaemon();
if (reason !== undefined) console.log(`skipped: ${reason}`);
const skip = { skip: reason ?? false };

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), main];

function start(args: readonly string[], environment: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [...node, ...args], { env: { ...process.env, ...environment } });
  child.stdin.on("error", () => undefined);
  return child;
}

interface Outcome {
  readonly output: string;
  readonly messages: string;
  readonly status: number | NodeJS.Signals | null;
}

async function outcome(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  const ended = new Promise<Outcome["status"]>((resolve, reject) =>
    child.once("error", reject).once("close", (code, signal) => resolve(code ?? signal)),
  );
  const [output, messages, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { output, messages, status };
}

async function guestfish(
  args: readonly string[],
  script = "",
  environment: Record<string, string> = {},
): Promise<Outcome> {
  const child = start(args, environment);
  child.stdin.end(script);
  return outcome(child);
}

async function withDaemon(script: string, args: readonly string[] = []): Promise<Outcome> {
  await using daemon = await startStockDaemon();
  return await guestfish(args, script, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` });
}

describe("without a daemon", { concurrency: 2 }, () => {
  test("--version, --help and -h answer at once", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    assert.deepEqual(await guestfish(["-V"]), { output: `guestfish ${version}\n`, messages: "", status: 0 });
    const help = await guestfish(["--help"]);
    assert.equal(help.status, 0);
    for (const option of ["-a|--add", "--format[=", "-m|--mount", "-N|--new", "--no-sync"])
      assert.ok(help.output.includes(option), option);
    const list = await guestfish(["-h"]);
    for (const command of ["add ", "mkfs ", "copy-in ", "sfdiskM "])
      assert.ok(list.output.includes(`\n${command}`), command);
    assert.match(
      (await guestfish(["-h", "ADD_DRIVE"])).output,
      /SYNOPSIS\n {4}add-drive filename \[readonly:true\|false\]/,
    );
    assert.equal((await guestfish(["-h", "nosuch"])).status, 1);
    assert.match((await guestfish(["-N", "help"])).output, /-N bootrootlv:<name>:<bootfs>/);
  });

  test("a mistyped command gets a hint, a disk in its place as well", async () => {
    assert.match((await guestfish(["lst-filesystems"])).messages, /is it 'list-filesystems'\?/);
    assert.match((await guestfish([main])).messages, /guestfish -a /);
  });

  test("-i and a word that is no file means a machine of libvirt's", async () => {
    const domain = await guestfish(["-x", "-i", "no-such-machine"]);
    assert.equal(domain.status, 1);
    assert.match(domain.messages, /trace: add_domain "no-such-machine"/);
    const file = await guestfish(["-x", "-i", "./no-such-machine"]);
    assert.match(file.messages, /-a \.\/no-such-machine: No such file/);
  });

  test("quit does not wait for the end of its input", async () => {
    const child = start([]);
    child.stdin.write("echo a\nquit\n");
    assert.deepEqual(await outcome(child), { output: "a\n", messages: "", status: 0 });
  });

  test("commands run as they come in", async () => {
    const child = start([]);
    child.stdin.write("echo one\n");
    const [first] = await new Promise<[Buffer]>((resolve) =>
      child.stdout.once("data", (data: Buffer) => resolve([data])),
    );
    assert.equal(first.toString(), "one\n");
    child.stdin.end("echo two");
    assert.deepEqual(await outcome(child), { output: "two\n", messages: "", status: 0 });
  });

  test("a reader that goes away ends the script", async () => {
    const child = start([]);
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdout.destroy();
    child.stdin.end("help --list\nhelp --list\n!echo not reached >&2\n");
    assert.equal(await text(child.stderr), "guestfish: standard output was closed\n");
    assert.equal(await ended, 1);
  });

  test("alloc and sparse make an image", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfish-test-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const { status, messages } = await guestfish([], `lcd ${folder}\nsparse s.img 8M\nalloc a.img 1M\n`);
    assert.deepEqual([status, messages], [0, ""]);
    const sizes = ["s.img", "a.img"].map((name) => statSync(join(folder, name)));
    assert.deepEqual(
      sizes.map(({ size }) => size),
      [8 << 20, 1 << 20],
    );
    assert.deepEqual(
      sizes.map(({ blocks }) => blocks * 512 >= 1 << 20),
      [false, true],
    );
  });

  test("a shell that waits ends at once on Ctrl-C", async () => {
    const child = start([]);
    child.stdin.write("echo ready\n");
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGINT");
    assert.equal((await outcome(child)).status, 130);
  });
});

describe("with the stock daemon", { ...skip, concurrency: 2 }, () => {
  test("editors change files and leave their attributes", async () => {
    const { output, messages, status } = await withDaemon(`run
write /f abc
chmod 0640 /f
setxattr user.k v 1 /f
ln-s f /link
setenv EDITOR "sed -i s/b/X/"
edit /link
cat /f
stat /f | grep mode
getxattr /f user.k
is-symlink /link
setenv EDITOR "false"
-edit /f
setenv HEXEDITOR "sed -i s/c/Y/"
hexedit /f 1 1
hexedit /f 1 10
cat /f
setenv PAGER "tr a z <"
more /f
more /f | tr z y
ls /
`);
    assert.equal(output, "aXc\nmode: 33184\nvtrue\naXY\nzXYyXYf\nlink\n");
    assert.match(messages, /^guestfish: false ended with status 1: \/f stays as it was\n$/);
    assert.equal(status, 0);
  });

  test("not turns a failure into a success", async () => {
    const { output, status } = await withDaemon(
      "run\nnot ls /nosuch\nnot not echo a\n-not echo b\nnot echo c\necho d\n",
    );
    assert.deepEqual([output, status], ["a\nb\nc\n", 1]);
  });

  test("reopen begins anew, and tells event handlers", async () => {
    const script = 'event e close,launch_done "echo $EVENT"\nrun\nreopen\nlist-events\nis-config\n';
    assert.deepEqual(await withDaemon(script), { output: "launch_done\nclose\ntrue\n", messages: "", status: 0 });
  });

  test("here-documents and - on the command line share standard input", async () => {
    const words = "-- run : upload -<<A /a : upload -<<B /b : upload - /c : cat /a : cat /b : cat /c".split(" ");
    const { output, messages } = await withDaemon("one\nA\ntwo\nB\nthree\n", words);
    assert.deepEqual([output, messages], ["one\n\ntwo\n\nthree\n\n", ""]);
  });

  test("what follows in a script on standard input can be uploaded", async () => {
    await using daemon = await startStockDaemon();
    const environment = { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` };
    // The daemon ends with its client, so the file is looked at just before.
    const event = `event e enter '[ $1 = shutdown ] && cat ${daemon.sysroot}/f'\n`;
    const { output, status } = await guestfish([], `run\n${event}upload - /f\nthe rest\n`, environment);
    assert.deepEqual([output, status], ["the rest\n", 0]);
  });

  test("line numbers count the lines of here-documents", async () => {
    const { messages } = await withDaemon("run\nupload -<<END /f\na\nb\nEND\nrmdir /nosuch\n");
    assert.equal(messages, "*stdin*:6: libguestfs: error: rmdir: /nosuch: No such file or directory\n");
  });

  test("-m that can't be mounted ends it", async () => {
    const { output, messages, status } = await withDaemon("echo not reached\n", ["-m", "/dev/sda1"]);
    assert.deepEqual([output, status], ["", 1]);
    assert.match(messages, /^libguestfs: error: mount_options: .*\/dev\/sda1: No such file or directory$/m);
  });

  test("Ctrl-C stops the running call, - in front of it lets the script go on", async (t) => {
    await using daemon = await startStockDaemon();
    const folder = mkdtempSync(join(tmpdir(), "guestfish-test-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const script = join(folder, "script");
    writeFileSync(script, "run\n-upload /dev/zero /first\necho after\nupload /dev/zero /second\necho not reached\n");
    const child = start(["-f", script], { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` });
    child.stdin.end();
    const ended = outcome(child);
    for (const name of ["first", "second"]) {
      while (!existsSync(join(daemon.sysroot, name)) && child.exitCode === null) await delay(5);
      child.kill("SIGINT");
    }
    const { output, messages, status } = await ended;
    assert.deepEqual([output, status], ["after\n", 1]);
    assert.match(
      messages,
      new RegExp(`^${script}:2: libguestfs: error: upload: .*cancelled.*\n${script}:4: libguestfs: error: upload: `),
    );
  });

  test("SIGTERM ends the call and the process", async () => {
    await using daemon = await startStockDaemon();
    const child = start(["run", ":", "upload", "/dev/zero", "/f"], { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` });
    child.stdin.end();
    const ended = outcome(child);
    while (!existsSync(join(daemon.sysroot, "f")) && child.exitCode === null) await delay(5);
    child.kill("SIGTERM");
    assert.equal((await ended).status, 143);
  });
});
