import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pretendRunningDomain, startOwnDaemon, whyNoVirsh } from "@guestfs/testkit";
import type { OwnDaemon, RunningDomain } from "@guestfs/testkit";

// The programs with a daemon on a folder of this host, which libvirt's test driver takes for a machine that runs.

const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly messages: string;
}

function start(tool: string, args: readonly string[], environment: object = {}): ReturnType<typeof spawn> {
  const program = fileURLToPath(new URL(`../bin/${tool}.js`, import.meta.url));
  return spawn(process.execPath, [program, ...args], { env: { ...process.env, TZ: "UTC", ...environment } });
}

function outcome(child: ReturnType<typeof spawn>): Promise<Outcome> {
  let [output, messages] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (messages += text));
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, output, messages })));
}

const reason = whyNoVirsh();
if (reason !== undefined) console.log(`# skipped: ${reason}`);

describe("programs with a running machine", { skip: reason ?? false }, () => {
  let daemon: OwnDaemon;
  let domain: RunningDomain;
  let folder: string;
  const inGuest = (path: string): string => join(daemon.sysroot, path);
  const live = (): string[] => ["-c", domain.uri, "--live", "-d", domain.name];
  const run = (tool: string, ...args: string[]): Promise<Outcome> => outcome(start(tool, [...live(), ...args]));
  const output = async (tool: string, ...args: string[]): Promise<string> => {
    const ended = await run(tool, ...args);
    assert.deepEqual([ended.status, ended.messages], [0, ""]);
    return ended.output;
  };

  before(async () => {
    daemon = await startOwnDaemon();
    domain = pretendRunningDomain(daemon.socketPath);
    folder = mkdtempSync(join(tmpdir(), "live-tools-"));
    mkdirSync(inGuest("etc/sub"), { recursive: true });
    writeFileSync(inGuest("etc/hostname"), "guest\n");
    writeFileSync(inGuest("etc/sub/a, b"), "x".repeat(1500));
    symlinkSync("hostname", inGuest("etc/link"));
    chmodSync(inGuest("etc/hostname"), 0o640);
    for (const path of ["etc/sub/a, b", "etc/sub", "etc/hostname", "etc"]) utimesSync(inGuest(path), 86_400, 86_400);
  });
  after(async () => {
    domain[Symbol.dispose]();
    rmSync(folder, { recursive: true });
    await daemon.stop();
  });

  test("virt-cat", async () => {
    assert.equal(await output("virt-cat", "/etc/hostname", "/etc/link"), "guest\nguest\n");
    const missing = await run("virt-cat", "/etc/nothing");
    assert.deepEqual([missing.status, missing.output], [1, ""]);
    assert.match(missing.messages, /^virt-cat: download: \/etc\/nothing: No such file or directory$/m);
    const between = await run("virt-cat", "/etc/nothing", "/etc/hostname", "/etc", "/etc/link");
    assert.deepEqual([between.status, between.output], [1, "guest\nguest\n"]);
  });

  test("virt-ls", async () => {
    assert.equal(await output("virt-ls", "/etc"), "hostname\nlink\nsub\n");
    assert.equal(await output("virt-ls", "-R", "/etc"), "hostname\nlink\nsub\nsub/a, b\n");
    assert.match(await output("virt-ls", "-l", "/etc"), /^-rw-r----- .* hostname$/m);
    const size = statSync(inGuest("etc")).size;
    const folderLine = (path: string): string => `d 0755 ${String(size).padStart(10)} ${path}`;
    assert.deepEqual((await output("virt-ls", "-lR", "/etc")).split("\n"), [
      folderLine("/etc"),
      "- 0640          6 /etc/hostname",
      "l 0777          8 /etc/link -> hostname",
      folderLine("/etc/sub"),
      "- 0644       1500 /etc/sub/a, b",
      "",
    ]);
    const between = await run("virt-ls", "/etc/sub", "/etc/nothing", "/etc/sub");
    assert.deepEqual([between.status, between.output], [1, "a, b\na, b\n"]);
    const file = await run("virt-ls", "-lR", "/etc/hostname", "/etc/hostname");
    assert.deepEqual([file.status, file.output], [1, "- 0640          6 /etc/hostname\n".repeat(2)]);
    const summed = (await output("virt-ls", "-lR", "--checksums", "--time-days", "/etc/sub")).split("\n");
    // Reading sets the time of last access.
    const ages = ` *\\d+ ${Math.floor(Date.now() / 86_400_000) - 1}   0`;
    assert.match(summed[0] ?? "", new RegExp(`^d 0755 {7}\\d+ ${ages} /etc/sub$`));
    assert.match(summed[1] ?? "", new RegExp(`^- 0644 {7}1500 ${ages} [0-9a-f]{32} /etc/sub/a, b$`));
    const csv = await output("virt-ls", "-lR", "--csv", "--uids", "--checksum", "--times", "/etc/sub/");
    const day = "1970-01-02 00:00:00";
    const row = `^-,0644,1500,${self.uid},${self.gid},[-0-9 :]+,${day},[-0-9 :]+,[0-9a-f]{32},"/etc/sub/a, b"$`;
    assert.match(csv, new RegExp(row, "m"));
    assert.match((await run("virt-ls", "-lRh", "--csv", "/etc")).messages, /exclude each other/);
    assert.match(await output("virt-ls", "-lRh", "/etc/sub"), /^- 0644 {7}1\.5K \/etc\/sub\/a, b$/m);
    const wrong = await run("virt-ls", "--csv", "/etc");
    assert.match(wrong.messages, /^virt-ls: --csv goes with -lR only\nTry "virt-ls --help"\.$/m);
  });

  test("virt-copy-in, virt-copy-out, virt-tar-in, virt-tar-out", async () => {
    writeFileSync(join(folder, "file"), "content\n");
    mkdirSync(join(folder, "tree"));
    symlinkSync("nowhere", join(folder, "tree", "link"));
    mkdirSync(inGuest("in"));
    assert.equal(await output("virt-copy-in", join(folder, "file"), join(folder, "tree"), "/in"), "");
    assert.equal(readFileSync(inGuest("in/file"), "utf8"), "content\n");
    assert.equal(readlinkSync(inGuest("in/tree/link")), "nowhere");
    mkdirSync(join(folder, "out"));
    assert.equal(await output("virt-copy-out", "/in/file", "/in/tree", join(folder, "out")), "");
    assert.equal(readlinkSync(join(folder, "out/tree/link")), "nowhere");
    assert.equal(await output("virt-tar-out", "/in", join(folder, "in.tar")), "");
    mkdirSync(inGuest("again"));
    assert.equal(await output("virt-tar-in", join(folder, "in.tar"), "/again"), "");
    assert.deepEqual(readdirSync(inGuest("again")).sort(), ["file", "tree"]);
    assert.equal(
      await output("virt-tar-out", "--ro", "/in", join(folder, "in.tgz"), "compress:gzip", "numericowner:true"),
      "",
    );
    assert.deepEqual([...readFileSync(join(folder, "in.tgz")).subarray(0, 2)], [0x1f, 0x8b]);
    mkdirSync(inGuest("packed"));
    const words = [join(folder, "in.tgz"), "/packed", "compress:gzip", "acls:true"];
    assert.equal(await output("virt-tar-in", "--rw", "-n", ...words), "");
    assert.deepEqual(readdirSync(inGuest("packed")).sort(), ["file", "tree"]);
    mkdirSync(inGuest("dot"));
    assert.equal(await output("virt-copy-in", "-w", "--no-progress-bars", `${folder}/tree/.`, "/dot"), "");
    assert.deepEqual(readdirSync(inGuest("dot")), ["link"]);
  });

  test("virt-edit keeps what belongs to a file, and a copy", async () => {
    // Only root can give files away.
    const owner = self.uid === 0 ? { uid: 12, gid: 34 } : self;
    chownSync(inGuest("etc/hostname"), owner.uid, owner.gid);
    await promisify(execFile)("setfattr", ["-n", "user.note", "-v", "kept", inGuest("etc/hostname")]);
    assert.equal(await output("virt-edit", "-b", ".old", "-e", "s/guest/host $lineno/", "/etc/link"), "");
    assert.equal(readFileSync(inGuest("etc/hostname"), "utf8"), "host 1\n");
    assert.equal(readFileSync(inGuest("etc/hostname.old"), "utf8"), "guest\n");
    const { mode, uid, gid, ino } = statSync(inGuest("etc/hostname"));
    assert.deepEqual([mode & 0o7777, uid, gid], [0o640, owner.uid, owner.gid]);
    const { stdout } = await promisify(execFile)("getfattr", ["-d", inGuest("etc/hostname")]);
    assert.match(stdout, /user\.note="kept"/);
    assert.equal(readlinkSync(inGuest("etc/link")), "hostname");

    // What was not changed is not written, and what failed even less.
    assert.equal(await output("virt-edit", "-e", "1", "/etc/hostname"), "");
    const untouched = await outcome(start("virt-edit", [...live(), "/etc/hostname"], { EDITOR: "true" }));
    assert.deepEqual(untouched, { status: 0, output: "File not changed.\n", messages: "" });
    const failed = await run("virt-edit", "-e", "die qq(no\\n) if /host/", "/etc/hostname");
    assert.equal(failed.status, 1);
    assert.match(failed.messages, /virt-edit: the Perl expression failed \(exit status \d+\): nothing was changed/);
    const editor = await outcome(start("virt-edit", [...live(), "/etc/hostname"], { EDITOR: "false" }));
    assert.match(editor.messages, /the editor \(false\) ended with exit status 1: nothing was changed/);
    assert.equal(statSync(inGuest("etc/hostname")).ino, ino);
    assert.deepEqual(readdirSync(inGuest("etc")).sort(), ["hostname", "hostname.old", "link", "sub"]);

    const edited = await outcome(start("virt-edit", [...live(), "/etc/hostname"], { EDITOR: "sed -i s/host/editor/" }));
    assert.deepEqual([edited.status, edited.output], [0, ""]);
    assert.equal(readFileSync(inGuest("etc/hostname"), "utf8"), "editor 1\n");
  });

  const noFuse = existsSync("/dev/fuse") ? false : "there is no /dev/fuse";

  test("guestmount: read, write, and closed when guestunmount is back", { skip: noFuse }, async () => {
    const mount = join(folder, "mount");
    mkdirSync(mount);
    assert.equal(await output("guestmount", mount), "");
    const sh = async (script: string): Promise<string> =>
      (await promisify(execFile)("sh", ["-euc", script], { cwd: mount })).stdout;
    try {
      assert.equal(await sh("cat etc/sub/*"), "x".repeat(1500));
      await sh(`
        umask 022; mkdir new; echo one > new/a; echo two >> new/a; ln -s a new/l; ln new/a new/h; mv new/a new/b; truncate -s 100000 new/b
        touch -a -d '2001-02-03 04:05:06.123456789 UTC' new/b; touch -m -d '2011-02-03 04:05:06.987654321 UTC' new/b
        chmod 4755 new/b; setfattr -n user.x -v y new/b; mkfifo new/p; printf x > "$(printf 'new/\\377')"
        rmdir etc/sub 2>/dev/null && exit 1; rm -r again`);
      assert.equal(
        await sh(
          "stat -c '%n %F %s %a %h' new/b new/l new/p; stat -c '%x %y' new/b; getfattr --only-values -n user.x new/b; LC_ALL=C ls -b new",
        ),
        [
          "new/b regular file 100000 4755 2\nnew/l symbolic link 1 777 1\nnew/p fifo 0 644 1\n",
          "2001-02-03 04:05:06.123456789 +0000 2011-02-03 04:05:06.987654321 +0000\nyb\nh\nl\np\n\\377\n",
        ].join(""),
      );
      // Gone, and still read and written by those who have it open.
      assert.equal(
        await sh("exec 3<>new/h; rm new/b new/h; echo three >&3; exec 4</proc/self/fd/3; head -c 6 <&4"),
        "three\n",
      );
      // The kernel tells of the last close only after close(2) is back.
      const left = (): string[] => readdirSync(inGuest("new"), "latin1").sort();
      for (let tries = 0; tries < 200 && left().length > 3; tries++) await setTimeout(50);
      assert.deepEqual(left(), ["l", "p", "\xff"]);
      await sh("mkdir many; cd many; seq 2500 | xargs touch; [ $(ls -l | wc -l) = 2501 ]; rm -r ../many");
      const random = join(folder, "random");
      await promisify(execFile)("dd", ["if=/dev/urandom", `of=${random}`, "bs=1M", "count=9", "status=none"]);
      await sh(`cp ${random} copy; cmp ${random} copy`);
    } finally {
      const end = await outcome(start("guestunmount", [mount]));
      assert.deepEqual(end, { status: 0, output: "", messages: "" });
    }
    assert.deepEqual(readdirSync(mount), []);
    assert.equal(statSync(inGuest("copy")).size, 9 << 20);
    // The daemon is free for the next one at once.
    assert.equal(await output("virt-ls", "/new"), "l\np\n\ufffd\n");
  });

  test("guestmount --ro changes nothing", { skip: noFuse }, async () => {
    const mount = join(folder, "mount-ro");
    mkdirSync(mount);
    const before = statSync(inGuest("etc/hostname"), { bigint: true });
    assert.equal(await output("guestmount", "--ro", mount), "");
    try {
      assert.equal(readFileSync(join(mount, "etc/hostname"), "utf8"), "editor 1\n");
      assert.throws(() => writeFileSync(join(mount, "etc/hostname"), ""), { code: "EROFS" });
    } finally {
      assert.equal((await outcome(start("guestunmount", [mount]))).status, 0);
    }
    const now = statSync(inGuest("etc/hostname"), { bigint: true });
    assert.deepEqual([now.mtimeNs, now.ctimeNs], [before.mtimeNs, before.ctimeNs]);
  });

  test(
    "guestmount: a byte on --fd, folders that are not empty, and what guestunmount ends with",
    { skip: noFuse },
    async () => {
      const mount = join(folder, "mount-full");
      mkdirSync(join(mount, "sub"), { recursive: true });
      const full = await run("guestmount", mount);
      assert.equal(full.status, 1);
      assert.match(full.messages, /is not empty.*-o nonempty/);
      const shell = `"$@" --fd=3 -o nonempty "${mount}" 3>"${join(folder, "ready")}"`;
      const program = fileURLToPath(new URL("../bin/guestmount.js", import.meta.url));
      await promisify(execFile)("sh", ["-euc", shell, "sh", process.execPath, program, ...live()]);
      assert.equal(statSync(join(folder, "ready")).size, 1);
      const held = openSync(join(mount, "etc/hostname"), "r");
      const unmount = (...args: string[]): Promise<Outcome> => outcome(start("guestunmount", [...args, mount]));
      const busy = await unmount("--no-retry");
      assert.equal(busy.status, 2);
      assert.match(busy.messages, /can't be unmounted/);
      assert.deepEqual(await unmount("-q", "--no-retry"), { status: 2, output: "", messages: "" });
      closeSync(held);
      const unmounter = fileURLToPath(new URL("../bin/guestunmount.js", import.meta.url));
      // The shell holds the pipe until cat has ended.
      const waiting = `(sleep 1; cat "${mount}/etc/hostname" >&2; true) | "$@" --fd=0 "${mount}"`;
      const waited = await promisify(execFile)("sh", ["-euc", waiting, "sh", process.execPath, unmounter]);
      assert.equal(waited.stderr, "editor 1\n");
      assert.deepEqual(await unmount("-q"), { status: 3, output: "", messages: "" });
      assert.equal((await outcome(start("guestunmount", [join(folder, "none")]))).status, 2);
    },
  );

  test("guestmount: stopped by a signal, and killed", { skip: noFuse }, async () => {
    const mount = join(folder, "mount-signals");
    const pidFile = join(folder, "pid");
    mkdirSync(mount);
    const pidOf = async (): Promise<number> => {
      assert.equal(await output("guestmount", "--pid-file", pidFile, mount), "");
      for (let tries = 0; tries < 200 && !existsSync(pidFile); tries++) await setTimeout(50);
      return Number(readFileSync(pidFile, "utf8"));
    };
    const gone = async (pid: number): Promise<void> => {
      for (let tries = 0; tries < 200 && existsSync(`/proc/${pid}/exe`); tries++) await setTimeout(50);
    };
    const pid = await pidOf();
    // In use, so that it can't be unmounted in the ordinary way.
    const user = spawn("sh", ["-c", 'cd "$0" && echo ready && exec sleep 1000', mount]);
    await new Promise((resolve) => user.stdout.once("data", resolve));
    process.kill(pid, "SIGTERM");
    await gone(pid);
    user.kill();
    assert.deepEqual(readdirSync(mount), []);
    const second = await pidOf();
    process.kill(second, "SIGKILL");
    await gone(second);
    // Its files are closed a moment after it is gone.
    for (let tries = 0; tries < 200 && existsSync(mount); tries++) await setTimeout(50);
    assert.throws(() => statSync(mount), { code: "ENOTCONN" });
    assert.deepEqual(await outcome(start("guestunmount", [mount])), { status: 0, output: "", messages: "" });
    assert.deepEqual(readdirSync(mount), []);
  });

  test("what makes no sense is said in one line", async () => {
    for (const [tool, args, message] of [
      ["guestmount", [...live(), join(folder, "none")], /: is no folder of this host/],
      ["guestmount", [...live(), "--ro", "--rw", folder], /exclude each other/],
      ["guestmount", ["-a", "x.img", folder], /what is to be mounted\? -i finds it out, -m names it/],
      ["guestmount", [...live(), "-o", "what", folder], /-o what: there is no such option/],
      ["guestunmount", [], /it takes one folder/],
      ["virt-cat", [...live(), "--format=raw", "/x"], /--format has to stand before the -a/],
      ["virt-cat", ["/etc/passwd"], /which file is to be printed\?|which machine/],
      ["virt-cat", ["-a", "/nonexistent.img", "/x"], /^virt-cat: -a \/nonexistent\.img: No such file or directory/],
    ] as const) {
      const { status, messages } = await outcome(start(tool, args));
      assert.equal(status, 1, `${tool} ${args.join(" ")}`);
      assert.match(messages, message);
    }
  });
});
