// Drives over ssh, which QEMU reaches with the keys and the known hosts of its user: those of a user's folder that only
// the programs under test see, in a mount namespace of their own.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Guestfs } from "guestfs";

const needed = [
  ["/usr/lib/x86_64-linux-gnu/qemu/block-ssh.so", "qemu-block-extra"],
  ["/usr/sbin/dropbear", "dropbear-bin"],
  ["/usr/bin/dropbearkey", "dropbear-bin"],
  ["/usr/lib/sftp-server", "openssh-sftp-server"],
] as const;
const missing = needed.find(([path]) => !existsSync(path));
const skip =
  process.geteuid?.() !== 0
    ? "only root can give programs another ~/.ssh"
    : missing && `no ${missing[0]} (Debian package ${missing[1]})`;

const guestfish = fileURLToPath(new URL("../../packages/guestfish/bin/guestfish.js", import.meta.url));
const port = 20_000 + (process.pid % 20_000);
const { username, homedir } = userInfo();

describe("drives over ssh", { skip: skip ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-ssh-"));
  const keys = join(folder, "ssh");
  const image = join(folder, "my disk.img");
  const knownHosts = join(keys, "known_hosts");
  let server: ChildProcess | undefined;
  let isOwnFolder = false;

  /** The words that run a program where ~/.ssh is the test's folder. */
  const inside = (...words: string[]): [string, string[]] => {
    const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    return ["unshare", ["--mount", "sh", "-c", script, "sh", keys, join(homedir, ".ssh"), ...words]];
  };

  /** Runs guestfish there. */
  const shell = async (...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> => {
    const [program, words] = inside(process.execPath, guestfish, ...args);
    // Keys of an agent would be tried first.
    const { SSH_AUTH_SOCK: _, ...env } = process.env;
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], env });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { status, stdout, stderr };
  };

  const digest = (): string => createHash("sha256").update(readFileSync(image)).digest("hex");
  const uri = `ssh://${username}@127.0.0.1:${port}${image.replaceAll(" ", "%20")}`;

  before(async () => {
    isOwnFolder = !existsSync(join(homedir, ".ssh"));
    if (isOwnFolder) mkdirSync(join(homedir, ".ssh"), { mode: 0o700 });
    mkdirSync(keys, { mode: 0o700 });
    writeFileSync(join(keys, "config"), "");
    execFileSync("dropbearkey", ["-t", "ecdsa", "-f", join(folder, "user")], { stdio: "ignore" });
    execFileSync("dropbearconvert", ["dropbear", "openssh", join(folder, "user"), join(keys, "id_ecdsa")], {
      stdio: "ignore",
    });
    const publicKey = (path: string): string =>
      /^ecdsa-\S+ \S+/m.exec(execFileSync("dropbearkey", ["-y", "-f", path], { encoding: "utf8" }))?.[0] ?? "";
    writeFileSync(join(keys, "id_ecdsa.pub"), `${publicKey(join(folder, "user"))}\n`);
    writeFileSync(join(keys, "authorized_keys"), `${publicKey(join(folder, "user"))}\n`, { mode: 0o600 });
    execFileSync("dropbearkey", ["-t", "ecdsa", "-f", join(folder, "host")], { stdio: "ignore" });
    writeFileSync(knownHosts, `[127.0.0.1]:${port} ${publicKey(join(folder, "host"))}\n`);
    const place = ["-p", `127.0.0.1:${port}`, "-P", join(folder, "pid"), "-r", join(folder, "host")];
    const [program, words] = inside("dropbear", "-F", "-E", "-s", "-j", "-k", ...place);
    server = spawn(program, words, { stdio: "ignore" });
    for (let reached = false; !reached; await delay(20)) {
      if (server.exitCode !== null) throw new Error(`dropbear ended with status ${server.exitCode}`);
      const probe = connect(port, "127.0.0.1");
      reached = await new Promise<boolean>((resolve) => {
        probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
      });
      probe.destroy();
    }
    await using g = new Guestfs();
    await g.diskCreate(image, "raw", 32 * 1024 ** 2);
  });
  after(async () => {
    if (server?.exitCode === null) {
      const ended = new Promise((resolve) => server?.once("exit", resolve));
      server.kill();
      await ended;
    }
    rmSync(folder, { recursive: true });
    if (isOwnFolder) rmSync(join(homedir, ".ssh"), { recursive: true });
  });

  test("written, read back, unchanged when it is read-only", async () => {
    const commands = ["run", ":", "mkfs", "ext4", "/dev/sda", ":", "mount", "/dev/sda", "/"];
    const written = await shell("--format=raw", "-a", uri, ...commands, ":", "write", "/hello", "from afar\n");
    assert.deepEqual([written.status, written.stderr], [0, ""]);
    const saved = digest();
    const read = await shell("--ro", "--format=raw", "-a", uri, "-m", "/dev/sda", "cat", "/hello");
    assert.deepEqual([read.status, read.stdout, read.stderr], [0, "from afar\n\n", ""]);
    const changed = [
      "run",
      ":",
      "mount",
      "/dev/sda",
      "/",
      ":",
      "write",
      "/hello",
      "kept nowhere",
      ":",
      "cat",
      "/hello",
    ];
    assert.equal((await shell("--ro", "--format=raw", "-a", uri, ...changed)).stdout, "kept nowhere\n");
    assert.equal(digest(), saved);
  });

  test("no such file, another user, nobody there, a server that is not the known one", async () => {
    const failure = async (address: string): Promise<string> => {
      const { status, stderr } = await shell("--ro", "--format=raw", "-a", address, "run");
      assert.equal(status, 1, stderr);
      assert.match(stderr, /launch: /);
      return stderr;
    };
    assert.match(await failure(uri.replace("disk.img", "none.img")), /none\.img.*(no such file|sftp)/is);
    assert.match(await failure(uri.replace(`${username}@`, "nobody@")), /authenticat|permission denied/i);
    assert.match(await failure(uri.replace(`:${port}`, ":1")), /connect/i);
    const known = readFileSync(knownHosts, "utf8");
    try {
      writeFileSync(knownHosts, "");
      assert.match(await failure(uri), /known_hosts/);
      writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(join(keys, "id_ecdsa.pub"), "utf8")}`);
      assert.match(await failure(uri), /host key/i);
    } finally {
      writeFileSync(knownHosts, known);
    }
  });

  test("a password can't be given, and a mistake does not show it", async () => {
    await using g = new Guestfs();
    await assert.rejects(
      g.addDrive("/disk.img", {
        protocol: "ssh",
        server: ["127.0.0.1"],
        username,
        secret: "hush",
      }),
      (error) => error instanceof RangeError && /ssh has no secrets/.test(error.message) && !/hush/.test(error.message),
    );
  });
});
