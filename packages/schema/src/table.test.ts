import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  camelCase,
  errnoNames,
  events,
  groups,
  kebabCase,
  pascalCase,
  procedureByName,
  procedures,
  structByName,
  structs,
  topicOf,
  topics,
} from "./index.ts";

// What has to hold of the table whether or not the facts are at hand.

/** Numbers of calls that libguestfs dropped; they are not given out again. */
const retiredNumbers = [4, 6, 15, 42, 52, 53, 107, 138, 150, 204, 216, 231, 335, 370, 371, 372, 398, 441, 442];

const reservedWords = new Set(
  (
    "break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if import in instanceof new null return super switch this throw true try typeof var void while with " +
    "implements interface let package private protected public static yield await eval"
  ).split(" "),
);

function duplicates(values: readonly (string | number)[]): (string | number)[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}

function assertSentence(text: string, where: string): void {
  assert.ok(text.length <= 100, `${where}: ${text.length} characters`);
  assert.match(text, /^[A-Z0-9`a-z]/, where);
  assert.ok(text.endsWith("."), `${where}: no full stop`);
  assert.doesNotMatch(text, /[\n\t]| {2}/, `${where}: one line`);
  // A full stop before a capital starts a second sentence.
  assert.doesNotMatch(text, /[a-z)]\. +[A-Z]/, `${where}: one sentence`);
}

function assertPhrase(text: string, name: string, where: string): void {
  assert.ok(text.trim() === text && text.length >= 3, `${where}: "${text}"`);
  assert.ok(text.length <= 100, `${where}: ${text.length} characters`);
  assert.doesNotMatch(text, /\n/, where);
  assert.notEqual(text.toLowerCase(), name.toLowerCase(), `${where}: only repeats the name`);
  assert.doesNotMatch(text, /\b(TODO|TBD|FIXME)\b/, where);
}

describe("names and numbers", () => {
  it("are unique", () => {
    assert.deepEqual(duplicates(procedures.map((row) => row.name)), []);
    assert.deepEqual(duplicates(procedures.flatMap((row) => row.proc ?? [])), []);
    assert.deepEqual(duplicates(structs.map((struct) => struct.name)), []);
    assert.deepEqual(duplicates(groups.map((group) => group.name)), []);
    assert.deepEqual(duplicates(errnoNames), []);
    assert.deepEqual(duplicates(events.map((event) => event.mask)), []);
  });

  it("are unique in TypeScript's and the shell's spelling, aliases included", () => {
    assert.deepEqual(duplicates(procedures.flatMap((row) => [row.name, ...(row.aliases ?? [])].map(camelCase))), []);
    const commands = procedures.flatMap((row) =>
      row.shell === false
        ? []
        : [kebabCase(row.name), ...(row.shell?.aliases ?? []), ...(row.aliases ?? []).map(kebabCase)],
    );
    assert.deepEqual(duplicates(commands), []);
    assert.deepEqual(duplicates(structs.map((struct) => pascalCase(struct.name))), []);
  });

  it("are spelt as on the wire", () => {
    for (const row of procedures) assert.match(row.name, /^[a-z][a-zA-Z0-9_]*$/, row.name);
  });

  it("come back from the indexes", () => {
    for (const row of procedures) assert.equal(procedureByName.get(row.name), row);
    for (const struct of structs) assert.equal(structByName.get(struct.name), struct);
    for (const [topic, rows] of Object.entries(topics)) for (const row of rows) assert.equal(topicOf(row.name), topic);
    assert.equal(topicOf("no_such_call"), undefined);
  });

  it("never give a dropped number to another call", () => {
    for (const row of procedures) {
      if (row.proc === undefined) continue;
      const dropped = retiredNumbers.includes(row.proc);
      assert.equal(dropped, topicOf(row.name) === "retired", row.name);
      const ours = topicOf(row.name) === "extension";
      assert.ok(ours ? row.proc >= 0x10000 : row.proc >= 1 && row.proc < 0x10000, row.name);
    }
  });
});

describe("parameters", () => {
  it("have unique names that TypeScript takes", () => {
    for (const row of procedures) {
      const names = [...row.params, ...(row.optional ?? [])].map((parameter) => camelCase(parameter.name));
      assert.deepEqual(duplicates(names), [], row.name);
      for (const name of names) {
        assert.match(name, /^[a-z][a-zA-Z0-9]*$/i, `${row.name}: ${name}`);
        assert.ok(!reservedWords.has(name), `${row.name}: ${name} is a word of the language`);
      }
    }
  });

  it("say what kind of string they take, and nothing else does", () => {
    for (const row of procedures) {
      for (const parameter of row.params) {
        const isString = parameter.type === "string" || parameter.type === "string-list";
        assert.equal(parameter.of !== undefined, isString, `${row.name}: ${parameter.name}`);
      }
    }
  });

  it("hold at most one file, and at most 64 optional ones", () => {
    for (const row of procedures) {
      const files = row.params.filter((parameter) => parameter.of === "file-in" || parameter.of === "file-out");
      if (row.proc !== undefined) assert.ok(files.length <= 1, row.name);
      assert.ok((row.optional ?? []).length <= 64, row.name);
      assert.notEqual(row.optional?.length, 0, `${row.name}: an empty list`);
    }
  });
});

describe("summaries", () => {
  it("are one sentence of at most 100 characters", () => {
    for (const row of procedures) assertSentence(row.summary, row.name);
    for (const event of events) assertSentence(event.summary, event.name);
  });

  it("are not shared by two calls", () => {
    assert.deepEqual(duplicates(procedures.map((row) => row.summary)), []);
  });

  it("tell something of every parameter", () => {
    for (const row of procedures)
      for (const parameter of [...row.params, ...(row.optional ?? [])])
        assertPhrase(parameter.summary, parameter.name, `${row.name}: ${parameter.name}`);
    for (const struct of structs) assert.ok(struct.summary.length > 3, struct.name);
  });
});

describe("references between rows", () => {
  it("lead to structs, groups and calls that exist", () => {
    const groupNames = new Set([...groups.map((group) => group.name), "guestfs-extensions"]);
    for (const row of procedures) {
      if ("struct" in row.returns) assert.ok(structByName.has(row.returns.struct), row.name);
      if (row.group !== undefined) assert.ok(groupNames.has(row.group), `${row.name}: ${row.group}`);
      if (typeof row.deprecated === "string")
        assert.ok(procedureByName.has(row.deprecated), `${row.name}: ${row.deprecated}`);
      assert.match(row.since, /^\d+\.\d+\.\d+$/, row.name);
    }
  });

  it("give every group that is not retired a member", () => {
    for (const group of groups)
      assert.equal(
        procedures.some((row) => row.group === group.name),
        group.retired !== true,
        group.name,
      );
  });

  it("mark a parameter or result wide only where it is an int64", () => {
    for (const row of procedures)
      for (const parameter of row.params) assert.ok(!parameter.wide || parameter.type === "int64", row.name);
  });

  it("mark a column wide only where it has 64 bits", () => {
    for (const struct of structs)
      for (const field of struct.fields)
        if (field.wide) assert.ok(field.type === "int64" || field.type === "uint64", `${struct.name}.${field.name}`);
  });
});
