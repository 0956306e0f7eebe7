import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startOwnDaemon, startTerminal } from "@guestfs/testkit";
import type { Terminal } from "@guestfs/testkit";

// The whole program in a terminal, with a daemon of ours behind it.

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const program = `${process.execPath} --conditions=source --import ${import.meta.resolve("tsx")} ${main}`;
const prompt = "><fs> \x1b[7G";

interface Session extends AsyncDisposable {
  readonly terminal: Terminal;
  readonly home: string;
}

async function open(t: TestContext, environment: Record<string, string> = {}, words = ""): Promise<Session> {
  const home = mkdtempSync(join(tmpdir(), "guestfish-home-"));
  t.after(() => rmSync(home, { recursive: true }));
  const terminal = startTerminal(`${program} ${words}`, { HOME: home, ...environment });
  await terminal.until("\x1b[7G");
  return { terminal, home, [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose]() };
}

/** Types a line and gives what is shown until the next prompt, without the echo. */
async function say({ terminal }: Session, line: string): Promise<string> {
  terminal.type(`${line}\r`);
  await terminal.until("\r\r\n");
  return (await terminal.until("\x1b[1G\x1b[0J")).slice(0, -"\x1b[1G\x1b[0J".length);
}

/** Types the beginning of a line and Tab; waits for what that shows, and takes the line away again. */
async function tab({ terminal }: Session, typed: string, shown: string): Promise<void> {
  terminal.type(typed);
  await terminal.until(typed);
  terminal.type("\t");
  await terminal.until(shown);
  terminal.type("\x03");
  await terminal.until(`^C\r\n\x1b[1G\x1b[0J${prompt}`);
}

/** Leaves, and gives the exit status. */
async function leave(session: Session): Promise<number> {
  session.terminal.type("quit\r");
  return session.terminal.exited;
}

describe("the prompt", { concurrency: 2, timeout: 600_000 }, () => {
  test("failures do not end it; quit does, with success", async (t) => {
    await using session = await open(t);
    assert.match(session.terminal.shown, /help {3}how to begin/);
    assert.equal(await say(session, "echo hi"), "hi\r\n");
    assert.match(await say(session, "nosuch"), /^nosuch: unknown command/);
    assert.equal(await say(session, 'echo "a'), "guestfish: a double quote is not closed\r\n");
    assert.equal(await say(session, " # nothing"), "");
    assert.equal(await say(session, "!exit 3"), "");
    assert.match(await say(session, "<!echo nosuch; echo echo inline"), /^nosuch: [^]*inline\r\n$/);
    assert.equal(await say(session, "echo a | tr a b"), "b\r\n");
    assert.match(await say(session, "time echo x"), /^x\r\nelapsed time: /);
    assert.equal(await leave(session), 0);
  });

  test("Ctrl-D ends it, Ctrl-C only the line", async (t) => {
    await using session = await open(t);
    session.terminal.type("echo not");
    await session.terminal.until("echo not");
    session.terminal.type("\x03");
    await session.terminal.until(`^C\r\n\x1b[1G\x1b[0J${prompt}`);
    assert.equal(await say(session, "echo run"), "run\r\n");
    await session.terminal.until(prompt);
    session.terminal.type("\x04");
    assert.equal(await session.terminal.exited, 0);
  });

  test("lines are kept for the next time, in a file of the user's alone, without secrets", async (t) => {
    await using first = await open(t);
    await say(first, "echo one");
    await say(first, "set-libvirt-requested-credential 0 hunter2");
    await say(first, "add /nosuch protocol:rbd secret:hunter2");
    await leave(first);
    const file = join(first.home, ".guestfish");
    assert.deepEqual([readFileSync(file, "utf8"), statSync(file).mode & 0o777], ["echo one\nquit\n", 0o600]);
    writeFileSync(file, "echo bad\x1b[2J\n", { flag: "a" });
    await using second = await open(t, { HOME: first.home });
    second.terminal.type("\x1b[A");
    await second.terminal.until("quit");
    second.terminal.type("\x1b[A");
    await second.terminal.until("echo one");
    second.terminal.type("\r");
    await second.terminal.until("one\r\n\x1b[1G");
    assert.ok(!second.terminal.shown.includes("\x1b[2J"));
  });

  test("the prompt and the colours of the environment", async (t) => {
    await using session = await open(t, {
      GUESTFISH_PS1: String.raw`\[\e[1m\]\x3e<fs>\[\e[0m\] `,
      GUESTFISH_INIT: "[init]",
      GUESTFISH_OUTPUT: String.raw`[out\101]`,
      GUESTFISH_RESTORE: "[restore]",
    });
    assert.ok(session.terminal.shown.includes("[init]\r\n"));
    assert.ok(session.terminal.shown.includes("\x1b[1m><fs>\x1b[0m \x1b[7G"), "the escapes have no width");
    assert.equal(await say(session, "echo x"), "[outA]x\r\n");
    await leave(session);
    assert.ok(session.terminal.shown.trimEnd().endsWith("[restore]"));
  });

  test("a paste is lines one after another, and the answer to what the first one asks", async (t) => {
    await using session = await open(t);
    session.terminal.type("echo 1\recho 2\rcryptsetup-open /dev/x y\rhunter2\recho 3\r");
    await session.terminal.until("needs state READY");
    await session.terminal.until("\n3\r\n");
    await leave(session);
    assert.equal(
      readFileSync(join(session.home, ".guestfish"), "utf8"),
      "echo 1\necho 2\ncryptsetup-open /dev/x y\necho 3\nquit\n",
    );
  });

  test("keys are asked for without echo, and Ctrl-C there comes back to the prompt", async (t) => {
    await using session = await open(t);
    session.terminal.type("cryptsetup-open /dev/x y\r");
    await session.terminal.until('passphrase ("key"): ');
    session.terminal.type("hunter2\r");
    await session.terminal.until("needs state READY");
    await session.terminal.until(prompt);
    session.terminal.type("cryptsetup-open /dev/x y\r");
    await session.terminal.until('passphrase ("key"): ');
    session.terminal.type("\x03");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "echo on"), "on\r\n");
    assert.ok(!session.terminal.shown.includes("hunter2"));
  });

  test("programs find the terminal as they expect it, and so does the shell around", async (t) => {
    await using session = await open(t);
    assert.match(await say(session, "!stty -a | grep -o '[-]*icanon'; tty"), /^icanon\r\n\/dev\/pts\//);
    session.terminal.type(`!perl -e '$| = 1; print "ready\\n"; print "got " . <STDIN>; sleep 100'\r`);
    await session.terminal.until("\r\r\nready");
    session.terminal.type("typed\r");
    await session.terminal.until("got typed");
    session.terminal.type("\x03");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "echo on"), "on\r\n");
  });

  test("a signal that ends it leaves an ordinary terminal behind", async (t) => {
    const home = mkdtempSync(join(tmpdir(), "guestfish-home-"));
    t.after(() => rmSync(home, { recursive: true }));
    await using terminal = startTerminal(`${program}; echo status $?; stty -a | grep -o '[-]*icanon'`, { HOME: home });
    await terminal.until(prompt);
    terminal.type("!kill -TERM $PPID; sleep 0.1\r");
    await terminal.until("status 143\r\nicanon");
  });
});

describe("the prompt with a daemon", { concurrency: 2, timeout: 600_000 }, () => {
  test("Tab completes commands, arguments, paths of the guest and files of the host", async (t) => {
    await using daemon = await startOwnDaemon();
    const { sysroot } = daemon;
    mkdirSync(join(sysroot, "etc"));
    mkdirSync(join(sysroot, "dir one"));
    writeFileSync(join(sysroot, "etc/hostname"), "");
    writeFileSync(join(sysroot, "evil\x1b[2Jred"), "");
    writeFileSync(join(sysroot, "evil\u202ename\n"), "");
    writeFileSync(join(sysroot, 'q"uo te'), "quoted\n");
    symlinkSync("etc", join(sysroot, "link"));
    await using session = await open(t, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` });

    await tab(session, "get-ver", "bose ");
    await tab(session, "LIST_F", "list-filesystems ");
    await tab(session, "help get-ver", "bose ");
    await tab(session, "glob get-ver", "bose ");
    await tab(session, "-set-autosync t", "rue ");
    await tab(session, "tar-in x / comp", "ress:");
    await tab(session, `lcd ${sysroot}/et`, "c/");
    await tab(session, `!cat ${sysroot}/dir`, "\\ one/");
    await tab(session, `echo x | cat ${sysroot}/et`, "c/");
    assert.equal(await say(session, "run"), "");
    await tab(session, "cat /et", "c/");
    await tab(session, "cat /ET", "/etc/");
    await tab(session, "time glob cat /etc/h", "ostname ");
    await tab(session, "cat /lin", "k/");
    await tab(session, "cat /link/h", "ostname ");
    await tab(session, "cat /di", '"/dir one/');
    await tab(session, "copy-out /et", "c/");

    session.terminal.type("cat /ev");
    await session.terminal.until("/ev");
    session.terminal.type("\t");
    await session.terminal.until('"/evil');
    session.terminal.type("\t");
    const listed = await session.terminal.until(`><fs> cat "/evil`);
    assert.ok(listed.includes(String.raw`"/evil\x1b[2Jred`), listed);
    assert.ok(listed.includes(String.raw`"/evil\xe2\x80\xaename\x0a`), listed);
    assert.ok(!session.terminal.shown.includes("\x1b[2J"));
    session.terminal.type("\x03");
    await session.terminal.until(prompt);

    session.terminal.type("cat /q");
    await session.terminal.until("/q");
    session.terminal.type("\t");
    await session.terminal.until(String.raw`"/q\"uo te" `);
    session.terminal.type("\r");
    await session.terminal.until("quoted\r\n");
  });

  test("-D: no paths of the guest", async (t) => {
    await using daemon = await startOwnDaemon();
    mkdirSync(join(daemon.sysroot, "etc"));
    await using session = await open(t, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` }, "--no-dest-paths");
    await say(session, "run");
    session.terminal.type("cat /et");
    await session.terminal.until("/et");
    session.terminal.type("\t");
    await delay(300);
    session.terminal.type("x\r");
    assert.match(await session.terminal.until("No such file"), /\/etx/);
  });

  test("Ctrl-C stops the running call, and the prompt goes on", async (t) => {
    await using daemon = await startOwnDaemon();
    await using session = await open(t, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` });
    await say(session, "run");
    session.terminal.type("upload /dev/zero /zero\r");
    while (!existsSync(join(daemon.sysroot, "zero"))) await delay(5);
    session.terminal.type("\x03");
    await session.terminal.until("libguestfs: error: upload: ");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "rm /zero"), "");
    session.terminal.type("upload - /typed\r");
    await session.terminal.until("Ctrl-D at the start of a line ends it.\r\n");
    session.terminal.type("some\r");
    await session.terminal.until("some\r\n");
    session.terminal.type("\x03");
    await session.terminal.until("libguestfs: error: upload: ");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "exists /zero"), "false\r\n");
  });

  test("input is typed, here-documents as well; editors and pagers have the terminal", async (t) => {
    await using daemon = await startOwnDaemon();
    await using session = await open(t, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}`, PAGER: "cat" });
    await say(session, "run");
    session.terminal.type("upload - /typed\r");
    await session.terminal.until("Ctrl-D at the start of a line ends it.\r\n");
    session.terminal.type("typed\r\x04");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "cat /typed"), "typed\r\n\r\n");
    session.terminal.type("upload -<<END /here\r");
    await session.terminal.until("> \x1b[3G");
    session.terminal.type("\x03");
    await session.terminal.until("the input ended before a line 'END'");
    await session.terminal.until(prompt);
    session.terminal.type("upload -<<END /here\r");
    await session.terminal.until("> \x1b[3G");
    session.terminal.type("here\rEND\r");
    await session.terminal.until(prompt);
    assert.equal(await say(session, "more /here"), "here\r\n");
    await say(session, 'setenv EDITOR "sed -i s/here/there/"');
    await say(session, "edit /here");
    assert.equal(await say(session, "glob cat /h*"), "there\r\n\r\n");
  });
});
