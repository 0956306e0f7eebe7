// A daemon on a folder of this host, mounted on another one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startOwnDaemon } from "@guestfs/testkit";
import type { OwnDaemon } from "@guestfs/testkit";
import { endFuse, mountedOn } from "../fuse/mount.ts";
import { Guestfs } from "../guestfs.ts";

const reason = existsSync("/dev/fuse") ? undefined : "there is no /dev/fuse";
if (reason !== undefined) console.log(`skipped: ${reason}`);

describe("mount_local", { skip: reason ?? false }, () => {
  let daemon: OwnDaemon;
  let parent: string;
  let folders = 0;
  const newFolder = (): string => {
    const folder = join(parent, String(++folders));
    mkdirSync(folder);
    return folder;
  };
  const attach = async (to: OwnDaemon = daemon): Promise<Guestfs> => {
    const g = new Guestfs({ environment: false });
    g.setBackend(`unix:${to.socketPath}`);
    await g.launch();
    return g;
  };
  /** Uses a folder, until it is killed. */
  const use = async (folder: string): Promise<ChildProcess> => {
    // Not as its working directory: this process would wait for itself.
    const child = spawn("sh", ["-c", 'cd "$0" && echo ready && exec sleep 1000', folder]);
    await once(child.stdout, "data");
    return child;
  };
  const local = (message: RegExp) => (error: unknown) => {
    assert.match((error as Error).message, message);
    assert.equal((error as { code?: string }).code, "LOCAL");
    return true;
  };

  before(async () => {
    daemon = await startOwnDaemon();
    parent = mkdtempSync(join(tmpdir(), "mount-local-"));
    writeFileSync(join(daemon.sysroot, "file"), "content\n");
  });
  after(async () => {
    await daemon?.stop();
    rmSync(parent, { recursive: true });
  });

  it("serves files until the folder is unmounted, beside other calls", async () => {
    await using g = await attach();
    await g.umask(0o27);
    const folder = newFolder();
    await g.mountLocal(folder);
    const serving = g.mountLocalRun();
    assert.equal(await readFile(join(folder, "file"), "utf8"), "content\n");
    await writeFile(join(folder, "new"), "written\n", { mode: 0o666 });
    assert.equal(readFileSync(join(daemon.sysroot, "new"), "utf8"), "written\n");
    assert.equal(statSync(join(daemon.sysroot, "new")).mode & 0o777, 0o666 & ~process.umask());
    await g.write("/beside", Buffer.from("x"));
    assert.deepEqual((await readdir(folder)).sort(), ["beside", "file", "new"]);
    await rm(join(folder, "beside"));
    assert.equal(await g.exists("/beside"), false);
    await g.umountLocal();
    await serving;
    assert.equal(await mountedOn(folder), undefined);
    rmdirSync(folder);
    // What was set for the folder is as it was.
    assert.equal(await g.getUmask(), 0o27);
    // And once more, with the same handle.
    const again = newFolder();
    await g.mountLocal(again, { readonly: true });
    await assert.rejects(writeFile(join(again, "file"), "x"), { code: "EROFS" });
    await g.umountLocal({ retry: true });
    // It is told at once when it asks later.
    await g.mountLocalRun();
  });

  it("takes options, and tells of each call", async () => {
    await using g = await attach();
    const lines: string[] = [];
    g.on("library", ({ message }) => lines.push(message));
    const folder = newFolder();
    const options = "ro,uid=12,gid=34,umask=077,fsname=here,noatime";
    await g.mountLocal(folder, { options, cachetimeout: 0, debugcalls: true });
    const file = await open(join(folder, "file"));
    const { uid, gid, mode } = await file.stat();
    assert.deepEqual([uid, gid, mode & 0o777], [12, 34, 0o700]);
    assert.equal((await mountedOn(folder))?.source, "here");
    await assert.rejects(readFile(join(folder, "none")), { code: "ENOENT" });
    assert.ok(lines.includes("mount_local: lookup 1: ENOENT"), lines.join("\n"));
    await g.close();
    assert.equal(await mountedOn(folder), undefined);
    await file.close();
  });

  it("says what is wrong", async () => {
    await using g = await attach();
    const folder = newFolder();
    await assert.rejects(g.mountLocal("/nowhere"), local(/^mount_local: \/nowhere: is no folder of this host$/));
    await assert.rejects(g.mountLocal("/dev/null"), local(/^mount_local: \/dev\/null: is no folder of this host$/));
    await assert.rejects(
      g.mountLocal(folder, { options: "what" }),
      /mount_local: options: what: there is no such option/,
    );
    await assert.rejects(g.mountLocal(folder, { cachetimeout: -1 }), /mount_local: cachetimeout: -1 is not 0 seconds/);
    await assert.rejects(g.mountLocalRun(), local(/mount_local_run: this handle has mounted nothing/));
    await assert.rejects(g.umountLocal(), local(/umount_local: this handle has mounted nothing/));
    await g.mountLocal(folder);
    await assert.rejects(g.mountLocal(folder), local(/mount_local: this handle is mounted on .* already/));
    const user = await use(folder);
    await assert.rejects(g.umountLocal(), local(/^umount_local: .* can't be unmounted: .*busy/));
    // The first try fails, the second does not.
    const unmounting = g.umountLocal({ retry: true });
    user.kill();
    await unmounting;
    await g.shutdown();
    await assert.rejects(g.mountLocal(folder), /mount_local: needs state READY/);
  });

  it("ends when its signal says so, whoever uses the folder", async () => {
    await using g = await attach();
    const folder = newFolder();
    await g.mountLocal(folder);
    const user = await use(folder);
    const stop = new AbortController();
    const serving = g.mountLocalRun({ signal: stop.signal });
    const why = new Error("enough");
    stop.abort(why);
    await assert.rejects(serving, { code: "CANCELLED", cause: why, message: "mount_local_run: cancelled" });
    assert.equal(await mountedOn(folder), undefined);
    user.kill();
    assert.equal(await g.exists("/file"), true);
    await g.mountLocal(folder);
    const cancelled = assert.rejects(g.mountLocalRun(), { code: "CANCELLED" });
    g.userCancel();
    await cancelled;
  });

  it("ends with the handle, though the folder is in use", async () => {
    const g = await attach();
    const folder = newFolder();
    await g.mountLocal(folder);
    const serving = g.mountLocalRun();
    const user = await use(folder);
    const file = await open(join(folder, "file"));
    await g.close();
    await serving;
    assert.equal(await mountedOn(folder), undefined);
    await assert.rejects(file.read(), { code: "ENOTCONN" });
    await file.close().catch(() => undefined);
    user.kill();
    await assert.rejects(g.mountLocalRun(), { code: "STATE" });
  });

  it("ends with the daemon, and says so", async () => {
    const short = await startOwnDaemon();
    await using g = await attach(short);
    const folder = newFolder();
    await g.mountLocal(folder);
    const serving = assert.rejects(g.mountLocalRun(), { code: "CONNECTION_CLOSED" });
    await short.stop();
    await serving;
    assert.equal(await mountedOn(folder), undefined);
  });

  it("leaves nothing behind when the process exits; what a killed one leaves is told", async () => {
    const folder = newFolder();
    const script = `
      const { Guestfs } = await import(${JSON.stringify(fileURLToPath(new URL("../index.ts", import.meta.url)))});
      const g = new Guestfs();
      g.setBackend("unix:${daemon.socketPath}");
      await g.launch();
      await g.mountLocal(${JSON.stringify(folder)});
      process.stdout.write("ready");
      process.stdin.once("data", () => process.exit(3));
    `;
    const start = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "-e", script], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      return child;
    };
    const leaving = await start();
    const user = await use(folder);
    leaving.stdin?.write("go");
    assert.deepEqual(await once(leaving, "exit"), [3, null]);
    assert.equal(await mountedOn(folder), undefined);
    user.kill();
    const killed = await start();
    killed.kill("SIGKILL");
    await once(killed, "exit");
    await using g = await attach();
    await assert.rejects(
      g.mountLocal(folder),
      local(/is mounted still, by a program that has ended\nTo fix it: guestunmount/),
    );
    await endFuse(folder, 0);
    await g.mountLocal(folder);
    await g.umountLocal();
  });

  it("leaves threads for other files", async () => {
    const daemons = await Promise.all([1, 2, 3, 4].map(() => startOwnDaemon()));
    const handles = await Promise.all(daemons.map((one) => attach(one)));
    try {
      const [last, ...others] = handles as [Guestfs, ...Guestfs[]];
      for (const g of others) await g.mountLocal(newFolder());
      await assert.rejects(
        last.mountLocal(newFolder()),
        local(/3 folders are mounted .*4 threads.*\n.*UV_THREADPOOL_SIZE=8/),
      );
    } finally {
      await Promise.all(handles.map((g) => g.close()));
      await Promise.all(daemons.map((one) => one.stop()));
    }
  });
});
