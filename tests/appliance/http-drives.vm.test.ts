// Drives that a web server has, read with ranges; what it asks a password for, and what goes wrong with it.
import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Guestfs, LaunchError, RemoteError } from "guestfs";

const drivers = "/usr/lib/x86_64-linux-gnu/qemu/block-curl.so";
// On a busy machine QEMU 7.2's driver waits for ever for an answer that was sent whole: in 3 of 15 runs.
const skip = !existsSync(drivers)
  ? `QEMU has no driver for http: no ${drivers} (Debian package qemu-block-extra)`
  : process.env["GUESTFS_TEST_HTTP"] === undefined &&
    "on a busy machine QEMU 7.2's driver for http stops answering; set GUESTFS_TEST_HTTP=1 to run these";

const MiB = 1024 ** 2;
const [user, password] = ["reader", "pass word:äé/+%"];
const folder = mkdtempSync(join(tmpdir(), "guestfs-http-"));
const image = join(folder, "disk.img");
after(() => rmSync(folder, { recursive: true }));

const asked: string[] = [];

/** Serves the image, and nothing else, in the pieces that it is asked for. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`${request.method} ${request.url}`);
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const size = statSync(image).size;
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

describe("drives over http", { skip }, () => {
  let server: Server;
  let address = "";

  before(async () => {
    await using g = new Guestfs();
    await g.diskCreate(image, "raw", 64 * MiB);
    await g.addDrive(image, { format: "raw" });
    await g.launch();
    await g.mkfs("ext2", "/dev/sda");
    await g.mount("/dev/sda", "/");
    await g.write("/hello", Buffer.from("from afar\n"));
    await g.fill(7, 8 * MiB, "/large");
    await g.close();
    server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
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
    told.push(commandLine, environment, g.debugDrives().join("\n"));
    await g.close();
    assert.ok(told.some((text) => text.includes("add_drive")));
    const forms = [password, encodeURIComponent(password), Buffer.from(password).toString("base64")];
    for (const form of forms) assert.ok(!told.join("\n").includes(form), form);
  });

  test("the wrong password, no such file, nobody there, writing: each a LaunchError", async () => {
    const cases = [
      ["/locked.img", remote(address, { username: user, secret: "wrong" }), /locked\.img.*401/s],
      ["/locked.img", remote(address), /401/],
      ["/none.img", remote(address), /none\.img.*404/s],
      ["/none.img", remote("127.0.0.1:1"), /connect/i],
      ["/my disk #1.img", remote(address, { readonly: false }), /read.?only|does not support writes/i],
    ] as const;
    for (const [name, options, message] of cases) {
      await using g = new Guestfs();
      await g.addDrive(name, options);
      await assert.rejects(g.launch(), isLaunchError(message));
    }
  });

  test("the server goes away: reading fails, nothing hangs, the handle closes", { timeout: 120_000 }, async () => {
    await using g = new Guestfs();
    await g.addDrive("/my disk #1.img", remote(address));
    await g.launch();
    await g.mountRo("/dev/sda", "/");
    assert.equal(await g.cat("/hello"), "from afar\n");
    server.close();
    server.closeAllConnections();
    await assert.rejects(g.checksum("md5", "/large"), (error) => error instanceof RemoteError && error.errno === "EIO");
    await g.pingDaemon();
    await g.close();
  });
});
