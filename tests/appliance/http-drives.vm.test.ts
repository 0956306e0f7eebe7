// Drives that a web or FTP server has, read through nbdkit; what it asks a password for, and what goes wrong with it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Guestfs, LaunchError, RemoteError } from "guestfs";
import { startFtpServer } from "./ftp-server.ts";

const missing = ["/usr/bin/nbdkit", "/usr/bin/openssl"].find((path) => !existsSync(path));
const skip = missing !== undefined && `no ${missing}`;
const qemuDriver = "/usr/lib/x86_64-linux-gnu/qemu/block-curl.so";

const MiB = 1024 ** 2;
const [user, password] = ["reader", "pass word:äé/+%"];
const folder = mkdtempSync(join(tmpdir(), "guestfs-http-"));
const image = join(folder, "disk.img");
after(() => rmSync(folder, { recursive: true }));

const asked: string[] = [];
/** Where the image is without encryption. */
let plainUrl = "";

/** Serves the image, and nothing else, in the pieces that it is asked for. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`${request.method} ${request.url}`);
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const size = statSync(image).size;
  if (pathname === "/whole.img") return void response.writeHead(200, { "content-length": size }).end();
  if (pathname === "/moved.img") return void response.writeHead(302, { location: plainUrl }).end();
  if (pathname === "/locked.img") {
    const given = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();
    if (given !== `${user}:${password}`)
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="images"' }).end();
  } else if (decodeURIComponent(pathname) !== "/my disk #1.img") return void response.writeHead(404).end();
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const from = Number(range?.[1] ?? 0);
  const end = Math.min(range?.[2] ? Number(range[2]) + 1 : size, size);
  response.writeHead(range ? 206 : 200, {
    "accept-ranges": "bytes",
    "content-length": end - from,
    ...(range && { "content-range": `bytes ${from}-${end - 1}/${size}` }),
  });
  if (request.method === "HEAD") return void response.end();
  const piece = Buffer.alloc(end - from);
  const file = openSync(image, "r");
  readSync(file, piece, 0, piece.length, from);
  closeSync(file);
  response.end(piece);
}

const remote = (server: string, more: object = {}): object => ({
  readonly: true,
  format: "raw",
  protocol: "http",
  server: [server],
  ...more,
});

const isLaunchError =
  (message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof LaunchError, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes(password), error.message);
    return true;
  };

/** The nbdkits that a process has started, each with its command line and its environment. */
function nbdkits(parent: number = process.pid): { pid: number; words: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const [, program, owner] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "latin1")) ?? [];
      if (program !== "nbdkit" || Number(owner) !== parent) return [];
      const words = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${name}/${file}`, "latin1")).join("\0");
      return [{ pid: Number(name), words }];
    } catch {
      return [];
    }
  });
}

async function allGone(pids: readonly number[]): Promise<void> {
  for (let waited = 0; pids.some((pid) => existsSync(`/proc/${pid}`)); waited += 10) {
    assert.ok(waited < 10_000, `still there: ${pids.join(" ")}`);
    await delay(10);
  }
}

/** Does something with other variables in the environment. */
async function withEnvironment(variables: Record<string, string>, action: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    await action();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

describe("drives of the web", { skip }, () => {
  let server: Server;
  let address = "";

  before(async () => {
    await using g = new Guestfs();
    await g.diskCreate(image, "raw", 64 * MiB);
    await g.addDrive(image, { format: "raw" });
    await g.launch();
    await g.mkfs("ext2", "/dev/sda", { blocksize: 4096 });
    await g.mount("/dev/sda", "/");
    await g.write("/hello", Buffer.from("from afar\n"));
    await g.fill(7, 8 * MiB, "/large");
    await g.close();
    server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    plainUrl = `http://${address}/my%20disk%20%231.img`;
  });
  after(() => {
    server?.closeAllConnections();
    server?.close();
  });

  test("a name with a space, a # and a query", async () => {
    const before = readFileSync(image);
    await using g = new Guestfs();
    await g.addDrive("/my disk #1.img?of=day%201", remote(address));
    await g.launch();
    await g.mount("/dev/sda", "/");
    assert.equal(await g.cat("/hello"), "from afar\n");
    await g.write("/hello", Buffer.from("kept nowhere\n"));
    assert.equal(await g.cat("/hello"), "kept nowhere\n");
    assert.ok(asked.includes("GET /my%20disk%20%231.img?of=day%201"), asked[0]);
    await g.close();
    assert.ok(readFileSync(image).equals(before));
  });

  test("a password, which stands on no command line and in no trace", async () => {
    const told: string[] = [];
    await using g = new Guestfs();
    for (const name of ["trace", "library", "appliance"] as const)
      g.on(name, (event: object) => void told.push(JSON.stringify(event)));
    g.setTrace(true);
    g.setVerbose(true);
    await g.addDrive("/locked.img", remote(address, { username: user, secret: password }));
    await g.launch();
    await g.mount("/dev/sda", "/");
    assert.equal(await g.cat("/hello"), "from afar\n");
    const commandLine = readFileSync(`/proc/${g.getPid()}/cmdline`, "latin1");
    const environment = readFileSync(`/proc/${g.getPid()}/environ`, "latin1");
    const [nbdkit] = nbdkits();
    assert.ok(nbdkit !== undefined && nbdkit.words.includes(user));
    told.push(commandLine, environment, nbdkit.words, g.debugDrives().join("\n"));
    await g.close();
    assert.ok(told.some((text) => text.includes("add_drive")));
    const forms = [password, encodeURIComponent(password), Buffer.from(password).toString("base64")];
    for (const form of forms) assert.ok(!told.join("\n").includes(form), form);
  });

  test("the wrong password, no such file, nobody there, writing: each a LaunchError", async () => {
    const cases = [
      ["/locked.img", remote(address, { username: user, secret: "wrong" }), /locked\.img.*401.*check username/s],
      ["/locked.img", remote(address), /401/],
      ["/whole.img", remote(address), /whole\.img.*'range'.*fetch the image/s],
      ["/none.img", remote(address), /none\.img.*404/s],
      ["/none.img", remote("127.0.0.1:1"), /connect/i],
      ["/my disk #1.img", remote(address, { readonly: false }), /can only be read.*read-only/s],
    ] as const;
    for (const [name, options, message] of cases) {
      await using g = new Guestfs();
      await g.addDrive(name, options);
      await assert.rejects(g.launch(), isLaunchError(message));
    }
    await allGone(nbdkits().map(({ pid }) => pid));
  });

  test("nbdkit ends with its drive, with its handle, and with a QEMU that is killed", async () => {
    const held = (): number[] => nbdkits().map(({ pid }) => pid);
    const drive = (label: string): object => remote(address, { label });
    await using g = new Guestfs();
    await g.addDrive("/my disk #1.img", drive("first"));
    await g.launch();
    await g.addDrive("/my disk #1.img", drive("second"));
    const [first, second, ...more] = held();
    assert.ok(first !== undefined && second !== undefined && more.length === 0);
    await g.mount("/dev/disk/guestfs/second", "/");
    assert.equal(await g.cat("/hello"), "from afar\n");
    await g.umount("/");
    await assert.rejects(g.addDrive("/none.img", drive("third")), /none\.img.*404/s);
    await g.removeDrive("second");
    while (held().length > 1) await delay(10);
    await g.close();
    await allGone([first, second]);

    await using other = new Guestfs();
    await other.addDrive("/my disk #1.img", drive("first"));
    await other.launch();
    const pids = held();
    assert.equal(pids.length, 1);
    process.kill(other.getPid(), "SIGKILL");
    await allGone(pids);
  });

  test("nothing outlives a program that is killed", async () => {
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const code = `
      import { Guestfs } from "guestfs";
      const g = new Guestfs();
      await g.addDrive("/my disk #1.img", ${JSON.stringify(remote(address))});
      await g.launch();
      console.log(g.getPid());
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "-e", code], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, LIBGUESTFS_TMPDIR: temporary },
    });
    const qemu = await new Promise<number>((resolve, reject) => {
      child.stdout.once("data", (bytes: Buffer) => resolve(Number(bytes.toString())));
      child.once("exit", () => reject(new Error("the program ended by itself")));
    });
    const pids = [qemu, ...nbdkits(child.pid).map(({ pid }) => pid)];
    assert.equal(pids.length, 2);
    child.kill("SIGKILL");
    await allGone(pids);
    assert.deepEqual(readdirSync(temporary), []);
  });

  test("https: a certificate that nobody vouches for, and its authority in SSL_CERT_FILE", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
    execFileSync("openssl", [...make, ...names], { stdio: "ignore" });
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const secure = createTlsServer(tls, serve);
    const ftps = await startFtpServer({ name: "disk.img", path: image, user, password, tls });
    try {
      await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
      const options = remote(`127.0.0.1:${(secure.address() as AddressInfo).port}`, { protocol: "https" });
      const locked = { ...options, username: user, secret: password };
      const system = { CURL_CA_BUNDLE: "/etc/ssl/certs/ca-certificates.crt" };
      await withEnvironment(system, async () => {
        await using g = new Guestfs();
        await g.addDrive("/locked.img", locked);
        await assert.rejects(g.launch(), isLaunchError(/locked\.img.*certificate.*SSL_CERT_FILE/is));
      });
      await withEnvironment({ CURL_CA_BUNDLE: "", SSL_CERT_FILE: cert }, async () => {
        await using g = new Guestfs();
        await g.addDrive("/locked.img", locked);
        await g.addDrive("/disk.img", {
          ...remote(`127.0.0.1:${ftps.port}`, { protocol: "ftps" }),
          username: user,
          secret: password,
        });
        await g.launch();
        for (const device of ["/dev/sda", "/dev/sdb"]) {
          await g.mountRo(device, "/");
          assert.equal(await g.cat("/hello"), "from afar\n");
          await g.umountAll();
        }
        await using moved = new Guestfs();
        await moved.addDrive("/moved.img", options);
        await assert.rejects(moved.launch(), isLaunchError(/moved\.img.*protocol/is));
      });
    } finally {
      ftps.close();
      secure.close();
      secure.closeAllConnections();
    }
  });

  test("ftp: a file in a folder, with a password; the wrong one, and no such file", async () => {
    const ftp = await startFtpServer({ name: "pub/my disk.img", path: image, user, password });
    try {
      const options = (secret: string): object =>
        remote(`127.0.0.1:${ftp.port}`, { protocol: "ftp", username: user, secret });
      await using g = new Guestfs();
      await g.addDrive("/pub/my disk.img", options(password));
      await g.launch();
      await g.mount("/dev/sda", "/");
      assert.equal(await g.cat("/hello"), "from afar\n");
      assert.equal((await g.readFile("/large")).length, 8 * MiB);
      await g.close();
      assert.ok(ftp.heard.includes(`PASS ${password}`));
      await using stranger = new Guestfs();
      await stranger.addDrive("/pub/my disk.img", options("wrong"));
      await assert.rejects(stranger.launch(), isLaunchError(/disk\.img.*denied.*check username/is));
      await using lost = new Guestfs();
      await lost.addDrive("/pub/none.img", options(password));
      await assert.rejects(lost.launch(), isLaunchError(/none\.img/));
    } finally {
      ftp.close();
    }
  });

  test(
    "an nbdkit that does not start: QEMU's own driver",
    { skip: !existsSync(qemuDriver) && `no ${qemuDriver}` },
    async () => {
      const programs = join(folder, "programs");
      mkdirSync(programs);
      writeFileSync(join(programs, "nbdkit"), "#!/bin/sh\necho not today >&2\nexit 1\n");
      chmodSync(join(programs, "nbdkit"), 0o755);
      await withEnvironment({ PATH: `${programs}:${process.env["PATH"]}` }, async () => {
        const told: string[] = [];
        await using g = new Guestfs();
        g.setVerbose(true);
        g.on("library", ({ message }) => void told.push(message));
        await g.addDrive("/none.img", remote(address));
        await assert.rejects(g.launch(), isLaunchError(/none\.img.*CURL.*404/s));
        assert.match(told.join("\n"), /none\.img: QEMU's own driver reads it.*nbdkit does not start: not today/);
      });
    },
  );

  test("the server goes away: reading fails, nothing hangs; it comes back", { timeout: 120_000 }, async () => {
    const far = 60 * MiB;
    await using g = new Guestfs();
    await g.addDrive("/my disk #1.img", remote(address));
    await g.launch();
    await g.mountRo("/dev/sda", "/");
    assert.equal(await g.cat("/hello"), "from afar\n");
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await assert.rejects(
      g.preadDevice("/dev/sda", 4096, far),
      (error) => error instanceof RemoteError && error.errno === "EIO",
    );
    await g.pingDaemon();
    await new Promise<void>((resolve) => server.listen(Number(address.split(":")[1]), "127.0.0.1", resolve));
    assert.equal((await g.preadDevice("/dev/sda", 4096, far)).length, 4096);
    await g.close();
  });
});
