import assert from "node:assert/strict";
import {
  chmod,
  lutimes,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  discardTemplate,
  findTemplate,
  recordOf,
  removeOldTemplates,
  TemplateDamagedError,
  templateName,
} from "./template-store.ts";

const store = await mkdtemp(join(tmpdir(), "template-test-"));
after(() => rm(store, { recursive: true }));

const name = templateName(["a", "b"]);
const folder = join(store, name);
const state = Buffer.from("the state of a machine");

async function save(as: string = name): Promise<void> {
  const target = join(store, as);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o700 });
  await writeFile(join(target, "memory"), Buffer.alloc(65536, 7), { mode: 0o600 });
  await writeFile(join(target, "state"), state, { mode: 0o600 });
  await writeFile(join(target, "scratch"), "", { mode: 0o600 });
  await writeFile(join(target, "template.json"), JSON.stringify(await recordOf(target, as)), { mode: 0o600 });
}

async function refused(damage: () => Promise<void>, message?: RegExp): Promise<void> {
  await save();
  await damage();
  assert.throws(
    () => findTemplate(store, name),
    (error: Error) => {
      if (message !== undefined) {
        assert.ok(error instanceof TemplateDamagedError, String(error));
        assert.match(error.message, message);
      }
      return true;
    },
  );
}

test("names depend on everything, and on its order", () => {
  const names = [["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""]].map(templateName);
  assert.equal(new Set(names).size, 4);
  assert.equal(templateName(["a", "b"]), name);
});

test("one that is as it was saved is found; none is no error", async () => {
  assert.equal(findTemplate(store, name), undefined);
  await save();
  const found = findTemplate(store, name);
  assert.equal(found?.memory, join(folder, "memory"));
});

test("a state that was cut anywhere, or changed anywhere, is refused", async () => {
  for (let length = 0; length < state.length; length++) {
    await refused(() => truncate(join(folder, "state"), length), /state is not as it was saved/);
    const changed = Buffer.from(state);
    changed[length] = (changed[length] ?? 0) ^ 1;
    await refused(() => writeFile(join(folder, "state"), changed), /state is not as it was saved/);
  }
});

test("a memory that was cut, written or replaced is refused", async () => {
  for (const length of [0, 1, 4096, 65535]) {
    await refused(() => truncate(join(folder, "memory"), length), /memory is not as it was saved/);
  }
  await refused(async () => {
    await writeFile(join(folder, "memory"), Buffer.alloc(65536, 8));
    await utimes(join(folder, "memory"), 1, 1);
  }, /memory is not as it was saved/);
});

test("a record that was cut anywhere or is another's is refused", async () => {
  await save();
  const record = join(folder, "template.json");
  const { length } = await readFile(record);
  // The time in it has no fixed number of digits.
  for (let cut = 1; cut <= length; cut++)
    await refused(async () => truncate(record, Math.max(0, (await readFile(record)).length - cut)));
  await refused(() => writeFile(join(folder, "template.json"), "{}"), /another version/);
  await refused(() => writeFile(join(folder, "template.json"), "null"));
  const other = templateName(["c"]);
  await save(other);
  await refused(async () => {
    await rm(folder, { recursive: true });
    await rename(join(store, other), folder);
  }, /another version/);
});

test("files that are missing, that others may write or that are links are refused", async () => {
  for (const file of ["memory", "state", "template.json"]) await refused(() => rm(join(folder, file)));
  await refused(() => chmod(folder, 0o777), /can be written by others/);
  for (const file of ["memory", "state"]) {
    await refused(() => chmod(join(folder, file), 0o622), /can be written by others/);
    await refused(async () => {
      await rename(join(folder, file), join(store, "elsewhere"));
      await symlink(join(store, "elsewhere"), join(folder, file));
      await lutimes(join(folder, file), 1, 1);
    }, /symbolic link/);
  }
});

test(
  "a template of another user is refused",
  { skip: process.getuid?.() === 0 ? false : "only root can give files away" },
  async () => {
    const { chown } = await import("node:fs/promises");
    for (const path of [folder, join(folder, "memory"), join(folder, "state")]) {
      await refused(() => chown(path, 4711, 4711), /belongs to user 4711/);
    }
  },
);

test("old templates go, those used lately stay", async () => {
  await rm(store, { recursive: true });
  await mkdir(store);
  const names = Array.from({ length: 8 }, (_, i) => templateName([String(i)]));
  for (const [i, one] of names.entries()) {
    await save(one);
    const used = new Date(Date.now() - (i < 2 ? 0 : 3_600_000 + i * 1000));
    await utimes(join(store, one), used, used);
  }
  await removeOldTemplates(store, names.slice(6));
  const left = names.map((one) => findTemplate(store, one));
  assert.deepEqual(
    left.map((one) => one !== undefined),
    [true, true, false, false, false, false, true, true],
  );
});

test("a discarded template is gone, and the next one can be saved", async () => {
  await save();
  const found = findTemplate(store, name);
  assert.ok(found);
  await discardTemplate(found);
  assert.equal(findTemplate(store, name), undefined);
  await save();
  assert.ok(findTemplate(store, name));
});
