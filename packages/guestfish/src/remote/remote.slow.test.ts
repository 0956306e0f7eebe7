import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startOwnDaemon, startTerminal } from "@guestfs/testkit";
import { encodeFrame, readFrames } from "./frame.ts";
import { socketFolder, socketPath } from "./socket-path.ts";

// `--listen` and `--remote` as programs, and as they are installed: from source, the compiler's helper would outlive the start of the one
// in the background, and hold the standard error that the caller reads to its end.

const main = fileURLToPath(new URL("../../bin/guestfish.js", import.meta.url));

interface Outcome {
  readonly output: string;
  readonly messages: string;
  readonly status: number | null;
}

interface More {
  readonly input?: string;
  readonly environment?: Record<string, string>;
}

async function guestfish(args: readonly string[], { input = "", environment = {} }: More = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...environment } });
  child.stdin.on("error", () => undefined).end(input);
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", (status) => resolve(status)),
  );
  const [output, messages, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { output, messages, status };
}

interface Listener extends AsyncDisposable {
  readonly pid: string;
  send(args: readonly string[], more?: More): Promise<Outcome>;
  /** Waits until the process is no more. */
  ended(): Promise<void>;
}

async function listen(args: readonly string[] = [], more: More = {}): Promise<Listener> {
  const { output, messages, status } = await guestfish(["--listen", ...args], more);
  assert.equal(status, 0, messages);
  const pid = /^GUESTFISH_PID=(\d+); export GUESTFISH_PID\n$/.exec(output)?.[1] ?? "";
  const send: Listener["send"] = (words, sent) => guestfish([`--remote=${pid}`, ...words], sent);
  const ended = async (): Promise<void> => {
    while (existsSync(`/proc/${pid}`)) await delay(10);
  };
  return {
    pid,
    send,
    ended,
    async [Symbol.asyncDispose]() {
      const { messages } = await send(["exit"]);
      // It may have been ending already; one that goes on is a failure, and does not stay.
      let stayed = false;
      const waiting = setTimeout(() => {
        stayed = true;
        process.kill(Number(pid), "SIGKILL");
      }, 60_000);
      await ended();
      clearTimeout(waiting);
      assert.ok(!stayed, `it did not end: ${messages}`);
      assert.ok(!existsSync(socketPath(pid)), "the socket is gone");
    },
  };
}

function withDaemon(socket: string): Record<string, string> {
  return { LIBGUESTFS_BACKEND: `unix:${socket}` };
}

describe("--listen and --remote", { concurrency: 2, timeout: 600_000 }, () => {
  test("the shell's variable, a folder of its own, no terminal and no stream held", async () => {
    await using listener = await listen();
    const folder = lstatSync(socketFolder());
    assert.deepEqual([folder.mode & 0o777, folder.uid], [0o700, process.geteuid?.()]);
    const fields = readFileSync(`/proc/${listener.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    assert.deepEqual([fields[1], fields[3], fields[4]], ["1", listener.pid, "0"], "parent, session, terminal");
    const viaVariable = { environment: { GUESTFISH_PID: listener.pid } };
    assert.equal((await guestfish(["--remote", "echo", "hi"], viaVariable)).output, "hi\n");
    const csh = await guestfish(["--listen", "--csh"]);
    const pid = /^setenv GUESTFISH_PID (\d+)\n$/.exec(csh.output)?.[1];
    assert.deepEqual(await guestfish([`--remote=${pid}`, "quit"]), { output: "", messages: "", status: 0 });
  });

  test("output, errors and status are the client's; the state stays", async () => {
    await using daemon = await startOwnDaemon();
    await using listener = await listen([], { environment: withDaemon(daemon.socketPath) });
    assert.deepEqual(await listener.send(["run", ":", "write", "/f", "a b", ":", "cat", "/f"]), {
      output: "a b\n",
      messages: "",
      status: 0,
    });
    const script = "cat /f | tr a x\n-cat /nosuch\n!echo $MINE\n<!echo echo inline\ncat /f\n";
    const { output, messages, status } = await listener.send([], { input: script, environment: { MINE: "mine" } });
    assert.deepEqual([output, status], ["x b\nmine\ninline\na b\n", 0]);
    assert.match(messages, /^libguestfs: error: cat: .*\/nosuch: No such file or directory\n$/);
    assert.equal((await listener.send(["exit"])).status, 0);
    assert.match((await listener.send(["echo", "hi"])).messages, /no guestfish listens at .*--listen/);
  });

  test("a failure ends it, unless it is forgiven", async () => {
    await using listener = await listen();
    const forgiven = await listener.send(["--", "-nosuch", ":", "echo", "on"]);
    assert.deepEqual([forgiven.output, forgiven.status], ["on\n", 0]);
    const failed = await listener.send(["alloc", ":", "echo", "not reached"]);
    assert.deepEqual([failed.output, failed.messages, failed.status], ["", "usage: alloc filename size\n", 1]);
    await listener.ended();
  });

  test("input, here-documents and keys come from the client", async () => {
    await using daemon = await startOwnDaemon();
    await using listener = await listen([], { environment: withDaemon(daemon.socketPath) });
    await listener.send(["run"]);
    const input = "x".repeat(3 << 20);
    assert.equal((await listener.send(["upload", "-", "/f"], { input })).status, 0);
    assert.equal(readFileSync(join(daemon.sysroot, "f"), "utf8"), input);
    assert.equal((await listener.send(["download", "/f", "-"])).output, input);
    const script = "upload -<<END /h\none\ntwo\nEND\ncat /h\n";
    assert.equal((await listener.send([], { input: script })).output, "one\ntwo\n\n");
    const key = await listener.send(["--keys-from-stdin", "--", "-cryptsetup-open", "/dev/nosuch", "x"], {
      input: "secret\n",
    });
    assert.match(key.messages, /libguestfs: error: cryptsetup_open: .*\/dev\/nosuch/);
    const none = await listener.send(["--keys-from-stdin", "--", "-cryptsetup-open", "/dev/nosuch", "x"]);
    assert.match(none.messages, /^guestfish: standard input ended before the passphrase/);
  });

  test("a client that goes away stops its command; the listening one goes on", async () => {
    await using daemon = await startOwnDaemon();
    await using listener = await listen([], { environment: withDaemon(daemon.socketPath) });
    await listener.send(["run"]);
    const zero = join(daemon.sysroot, "zero");
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const child = spawn(process.execPath, [main, `--remote=${listener.pid}`, "upload", "/dev/zero", "/zero"]);
      const messages = text(child.stderr);
      while (!existsSync(zero)) await delay(5);
      child.kill(signal);
      if (signal === "SIGINT") assert.match(await messages, /^libguestfs: error: upload: cancelled/);
      assert.deepEqual(await listener.send(["rm", "/zero"]), { output: "", messages: "", status: 0 });
    }
    const closed = spawn(process.execPath, [main, `--remote=${listener.pid}`, "download", "/dev/zero", "-"]);
    closed.stdout.destroy();
    assert.equal(await text(closed.stderr), "guestfish: standard output was closed\n");
    assert.equal((await listener.send(["echo", "on"])).output, "on\n");
  });

  test("commands take turns", async () => {
    await using listener = await listen();
    const outcomes = await Promise.all(Array.from({ length: 6 }, (_, at) => listener.send(["echo", `${at}`])));
    assert.deepEqual(
      outcomes.map(({ output }) => output),
      ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"],
    );
  });

  test("what the options ask for is done before it says its number, and told where it was asked", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guestfish-remote-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const disk = join(folder, "disk.img");
    const failed = await guestfish(["--listen", "-a", disk]);
    assert.deepEqual([failed.output, failed.status], ["", 1]);
    assert.match(failed.messages, /^(?:guestfish|libguestfs): .*disk\.img: No such file or directory$/m);
    writeFileSync(disk, Buffer.alloc(1 << 20));
    await using listener = await listen(["--ro", "--format=raw", "-a", disk, "-x"]);
    const traced = await listener.send(["debug-drives"]);
    assert.match(traced.output, /disk\.img readonly=true/);
    assert.match(traced.messages, /^libguestfs: trace: debug_drives$/m);
    const event = await listener.send([
      ...["event", "e", "enter", "echo $EVENT $1; echo loud >&2", ":", "get-autosync", ":", "delete-event", "e"],
    ]);
    assert.match(event.output, /^enter get_autosync\ntrue\n/m);
    assert.match(event.messages, /^loud$/m);
  });

  test("editors and pagers run in the client's terminal; Tab completes what is there", async () => {
    await using daemon = await startOwnDaemon();
    await using listener = await listen([], { environment: { ...withDaemon(daemon.socketPath), PAGER: "cat" } });
    writeFileSync(join(daemon.sysroot, "file"), "text\n");
    await using terminal = startTerminal(`${process.execPath} ${main} --remote=${listener.pid}`);
    await terminal.until("><fs> ");
    terminal.type("run\r");
    await terminal.until("><fs> \x1b[7G");
    terminal.type("more /fi");
    await terminal.until("/fi");
    terminal.type("\t");
    await terminal.until("le ");
    terminal.type("\r");
    await terminal.until("text\r\n");
    await terminal.until("><fs> \x1b[7G");
    terminal.type(`setenv EDITOR 'tty; sed -i s/text/new/'\r`);
    await terminal.until("><fs> \x1b[7G");
    terminal.type("edit /file\r");
    await terminal.until("/dev/pts/");
    await terminal.until("><fs> \x1b[7G");
    terminal.type("cat /nosuch\r");
    await terminal.until("No such file");
    await terminal.until("><fs> \x1b[7G");
    terminal.type("upload - /typed\r");
    await terminal.until("ends it.\r\n");
    terminal.type("\x03");
    await terminal.until("cancelled\r\n");
    await terminal.until("><fs> \x1b[7G");
    terminal.type("upload - /typed\r");
    await terminal.until("ends it.\r\n");
    terminal.type("typed\r\x04");
    await terminal.until("><fs> \x1b[7G");
    assert.equal(readFileSync(join(daemon.sysroot, "typed"), "utf8"), "typed\n");
    terminal.type("cat /file\r");
    await terminal.until("new\r\n");
    await terminal.until("><fs> \x1b[7G");
    terminal.type("\x04");
    assert.equal(await terminal.exited, 0);
    assert.equal((await listener.send(["cat", "/file"])).output, "new\n\n");
  });

  test("whoever does not speak the protocol is let go, and nobody else notices", async () => {
    await using listener = await listen();
    const connect = (): Socket => createConnection(socketPath(listener.pid));
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 1]);
    const hello = await greetingOf(connect());
    for (const bytes of [
      Buffer.from("GET / HTTP/1.0\r\n\r\n"),
      huge,
      encodeFrame("hello", "guestfish 0.0"),
      encodeFrame("run", "{}"),
      Buffer.concat([hello, huge]),
      Buffer.concat([hello, encodeFrame("run", "no object")]),
      Buffer.concat([hello, encodeFrame("run", '{"words":[1],"exitOnError":true,"progressBars":false}')]),
      Buffer.concat([hello, encodeFrame("answer", "x")]),
      Buffer.concat([hello, encodeFrame("output", "x")]),
      Buffer.concat([hello, Buffer.from([0, 0, 0, 0, 99])]),
    ]) {
      const socket = connect().on("error", () => undefined);
      socket.write(bytes);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resume();
      await closed;
    }
    const silent = connect();
    assert.deepEqual(await listener.send(["echo", "on"]), { output: "on\n", messages: "", status: 0 });
    silent.destroy();
  });

  test("what can't be meant is refused", async () => {
    for (const [args, message] of [
      [["--remote", "echo"], /--remote needs the process number/],
      [["--remote=1", "-a", "x.img"], /--remote only sends commands/],
      [["--remote=99999999", "echo"], /no guestfish listens/],
    ] as const) {
      const { status, messages } = await guestfish(args, { environment: { GUESTFISH_PID: "" } });
      assert.equal(status, 1);
      assert.match(messages, message);
    }
  });
});

/** What the listening one says first, as a frame: the other end has to say the same. */
async function greetingOf(socket: Socket): Promise<Buffer> {
  for await (const { kind, body } of readFrames(socket)) return encodeFrame(kind, body);
  throw new Error("nothing was said");
}
