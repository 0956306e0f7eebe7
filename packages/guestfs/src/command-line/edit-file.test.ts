import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startOwnDaemon, startStockDaemon, whyNoStockDaemon } from "@guestfs/testkit";
import { Guestfs } from "../index.ts";
import { fetchFile, putFileBack } from "./edit-file.ts";

const user = 1000;
const folder = mkdtempSync(join(tmpdir(), "edit-file-"));
after(() => rmSync(folder, { recursive: true }));
const skip = whyNoStockDaemon() ?? false;
if (skip !== false) console.log(`# skipped: ${skip}`);

/** What a user of the machine does, between any two calls, with the rights of a user. */
const attacks = {
  nothing: ":",
  // What appears beside the file becomes a link to a file of root's.
  "replaces what appears": `for name in .edit-* .virt-edit-* .guestfish-*; do
    [ -e "$name" ] || continue
    mv "$name" "kept$name"; mkdir "$name"; for file in new old held; do ln -s /etc/shadow "$name/$file"; done
  done`,
  "replaces the file": "rm -f rc; ln -s /etc/shadow rc",
  "replaces the file by a folder": "rm -f rc; ln -s /etc rc",
  "prepares the name of the copy": "ln -sf /etc rc.bak",
  // Every second time the deep folder is the machine's /etc.
  "moves the folder": "if [ -L deep ]; then rm deep; mv kept deep; else mv deep kept; ln -s /etc deep; fi",
} as const;

interface Machine extends AsyncDisposable {
  readonly socketPath: string;
  readonly sysroot: string;
}

function prepare(sysroot: string): void {
  for (const path of ["etc", "home", "home/u", "home/u/deep"]) mkdirSync(join(sysroot, path));
  for (const path of ["home/u", "home/u/deep"]) chownSync(join(sysroot, path), user, user);
  for (const path of ["home/u/rc", "home/u/deep/rc", "home/u/deep/shadow"]) {
    writeFileSync(join(sysroot, path), "user's\n", { mode: 0o644 });
    chownSync(join(sysroot, path), user, user);
  }
  for (const name of ["shadow", "rc"]) writeFileSync(join(sysroot, "etc", name), "root's\n", { mode: 0o600 });
}

/** The handle, with a user who acts before each of its calls. */
function attacked(g: Guestfs, sysroot: string, script: string): Guestfs {
  return new Proxy(g, {
    get(handle, name) {
      const value: unknown = Reflect.get(handle, name, handle);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        spawnSync("setpriv", [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "sh", "-c", script], {
          cwd: join(sysroot, "home/u"),
          stdio: ["ignore", "ignore", "ignore"],
        });
        return Reflect.apply(value, handle, args);
      };
    },
  });
}

const state = (path: string): unknown[] => {
  const { uid, mode } = lstatSync(path);
  return [uid, (mode & 0o7777).toString(8), readFileSync(path, "utf8")];
};

const cases: readonly (readonly [keyof typeof attacks, string, string])[] = [
  ["nothing", "/home/u/rc", ".bak"],
  ["nothing", "/home/u/deep/rc", ""],
  ["nothing", "/home/u/deep/rc", ".bak"],
  ["nothing", "/etc/rc", ".bak"],
  ["replaces what appears", "/home/u/rc", ""],
  ["replaces the file", "/home/u/rc", ""],
  ["replaces the file by a folder", "/home/u/rc", ""],
  ["prepares the name of the copy", "/home/u/rc", ".bak"],
  ["moves the folder", "/home/u/deep/shadow", ""],
  ["moves the folder", "/home/u/deep/shadow", ".bak"],
];

for (const [daemonName, start] of [
  ["our daemon", startOwnDaemon],
  ["the stock daemon", startStockDaemon],
] as const satisfies [string, () => Promise<Machine>][])
  describe(`editing with ${daemonName}, while a user of the machine`, { skip }, () => {
    for (const [name, path, backup] of cases)
      test(`${name}: ${path}${backup && ", with a copy"}`, async () => {
        await using machine = await start();
        const { sysroot } = machine;
        prepare(sysroot);
        await using g = new Guestfs({ environment: false });
        g.setBackend(`unix:${machine.socketPath}`);
        await g.launch();
        const local = join(folder, "local");
        const hostile = attacked(g, sysroot, attacks[name]);
        let failure: unknown;
        try {
          const fetched = await fetchFile(hostile, path, local);
          writeFileSync(local, `${readFileSync(local, "utf8")}edited\n`);
          await putFileBack(hostile, fetched, local, { backup });
        } catch (error) {
          failure = error;
        }
        // Root's files hold root's content, with root's edit at most, and are root's alone.
        const etc = join(sysroot, "etc");
        for (const file of readdirSync(etc)) {
          assert.ok(["rc", "rc.bak", "shadow", "shadow.bak"].includes(file), file);
          const [uid, mode, content] = state(join(etc, file));
          assert.deepEqual([uid, mode], [0, "600"], file);
          assert.match(String(content), /^root's\n(?:edited\n)?$/, file);
        }
        const words = ["-rsl", "root's", "."];
        const { stdout } = spawnSync("grep", words, { cwd: join(sysroot, "home"), uid: user, encoding: "utf8" });
        assert.equal(stdout, "", "a user can read what is root's");
        for (const place of ["home", "etc"])
          assert.ok(!readdirSync(join(sysroot, place)).some((file) => file.startsWith(".edit-")));
        if (name !== "nothing") return;
        if (path.includes("deep") && backup !== "") {
          assert.match(String(failure), /a user of the machine can move its folder/);
          return;
        }
        assert.equal(failure, undefined);
        const [owner, content] = path.startsWith("/etc") ? [[0, "600"], "root's\n"] : [[user, "644"], "user's\n"];
        assert.deepEqual(state(join(sysroot, path)), [...owner, `${content}edited\n`]);
        if (backup !== "") assert.deepEqual(state(join(sysroot, path + backup)), [...owner, content]);
      });
  });

test("what has changed in the machine meanwhile stays", async () => {
  await using machine = await startOwnDaemon();
  const [path, local] = [join(machine.sysroot, "file"), join(folder, "local")];
  writeFileSync(path, "before\n");
  await using g = new Guestfs({ environment: false });
  g.setBackend(`unix:${machine.socketPath}`);
  await g.launch();
  const fetched = await fetchFile(g, "/file", local);
  writeFileSync(path, "meanwhile\n");
  await putFileBack(g, fetched, local);
  writeFileSync(local, "after\n");
  await assert.rejects(
    putFileBack(g, fetched, local),
    /^CommandLineError: \/file: it has changed in the machine meanwhile/,
  );
  assert.equal(readFileSync(path, "utf8"), "meanwhile\n");
  assert.deepEqual(readdirSync(machine.sysroot), ["file"]);
});
