import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { errnoNames, events, groups, kebabCase, procedureByName, procedures, structs, topicOf } from "./index.ts";
import type { OptionalParameter, Parameter, Procedure, Result, StructField } from "./index.ts";

// The table held against the facts about libguestfs's interface, a folder beside the checkout.

interface FactArgument {
  kind: string;
  name: string;
  sub?: string;
  bit?: number;
}
interface FactResult {
  kind: string;
  sub?: string;
  key_sub?: string;
  value_sub?: string;
  struct?: string;
}
interface FactAction {
  name: string;
  kind: "daemon" | "library";
  proc_nr: number | null;
  added: number[];
  ret: FactResult;
  args: FactArgument[];
  optargs: FactArgument[];
  visibility: string;
  optional: string | null;
  deprecated: boolean;
  deprecated_by: string | null;
  progress: boolean;
  cancellable: boolean;
  config_only: boolean;
  once_had_no_optargs: boolean;
  blocking: boolean;
  protocol_limit_warning: boolean;
  non_c_aliases: string[];
  in_fish: boolean;
  fish_name: string;
  fish_alias: string[];
  fish_output: string | null;
}
interface Facts {
  protocol: { retired_proc_nrs: number[]; max_proc_nr: number };
  actions: FactAction[];
  structs: { name: string; internal: boolean; cols: { name: string; type: string }[] }[];
  optgroups: { name: string; retired: boolean; actions: string[] }[];
  events: { name: string; mask: number }[];
  all_events_mask: number;
  errnos: string[];
}

const place = new URL("../../../../shared/facts/api.json", import.meta.url);

function readFacts(): Facts | undefined {
  try {
    return JSON.parse(readFileSync(place, "utf8")) as Facts;
  } catch {
    return undefined;
  }
}

const stringSubs: Readonly<Record<string, string>> = {
  PlainString: "plain",
  Pathname: "pathname",
  Device: "device",
  Mountable: "mountable",
  Dev_or_Path: "device-or-path",
  Mountable_or_Path: "mountable-or-path",
  Filename: "filename",
  Key: "key",
  GUID: "guid",
  FileIn: "file-in",
  FileOut: "file-out",
};
const argumentKinds: Readonly<Record<string, Parameter["type"]>> = {
  String: "string",
  OptString: "optional-string",
  StringList: "string-list",
  Bool: "bool",
  Int: "int",
  Int64: "int64",
  BufferIn: "buffer",
  Pointer: "pointer",
};
const optionalKinds: Readonly<Record<string, OptionalParameter["type"]>> = {
  OString: "string",
  OStringList: "string-list",
  OBool: "bool",
  OInt: "int",
  OInt64: "int64",
};
const resultKinds: Readonly<Record<string, Result["type"]>> = {
  RErr: "none",
  RBool: "bool",
  RInt: "int",
  RInt64: "int64",
  RString: "string",
  RConstString: "const-string",
  RConstOptString: "const-optional-string",
  RStringList: "string-list",
  RHashtable: "hashtable",
  RBufferOut: "buffer",
  RStruct: "struct",
  RStructList: "struct-list",
};
const columnKinds: Readonly<Record<string, StructField["type"]>> = {
  FChar: "char",
  FString: "string",
  FDevice: "device",
  FBuffer: "buffer",
  FInt32: "int32",
  FUInt32: "uint32",
  FInt64: "int64",
  FUInt64: "uint64",
  FBytes: "bytes",
  FUUID: "uuid",
  FOptPercent: "percent",
};
const visibilities: Readonly<Record<string, Procedure["visibility"]>> = {
  VPublic: undefined,
  VPublicNoFish: "public-no-shell",
  VStateTest: "state",
  VInternal: "internal",
  VDebug: "debug",
};
const resultSubs: Readonly<Record<string, string | undefined>> = {
  RPlainString: undefined,
  RDevice: "device",
  RMountable: "mountable",
};

function known<T>(table: Readonly<Record<string, T>>, key: string): T {
  assert.ok(key in table, `a word this test does not know: ${key}`);
  return table[key] as T;
}

/** Absent and `undefined` are the same here. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

function factResult(ret: FactResult): unknown {
  return plain({
    type: known(resultKinds, ret.kind),
    of: ret.kind === "RHashtable" || ret.sub === undefined ? undefined : known(resultSubs, ret.sub),
    keys: ret.key_sub === undefined ? undefined : known(resultSubs, ret.key_sub),
    values: ret.value_sub === undefined ? undefined : known(resultSubs, ret.value_sub),
    struct: ret.struct,
  });
}

/** A fact's row in the words of our table, without the summaries. */
function fromFact(action: FactAction): unknown {
  return plain({
    name: action.name,
    proc: action.kind === "daemon" ? action.proc_nr : undefined,
    since: action.added.join("."),
    params: action.args.map((argument) => ({
      name: argument.name,
      type: known(argumentKinds, argument.kind),
      of: argument.sub === undefined ? undefined : known(stringSubs, argument.sub),
    })),
    optional: [...action.optargs]
      .sort((left, right) => (left.bit ?? -1) - (right.bit ?? -1))
      .map((argument, bit) => {
        assert.equal(argument.bit, bit, `${action.name}: bits without gaps`);
        return { name: argument.name, type: known(optionalKinds, argument.kind) };
      }),
    returns: factResult(action.ret),
    group: action.optional ?? undefined,
    visibility: known(visibilities, action.visibility),
    deprecated: action.deprecated ? (action.deprecated_by ?? true) : false,
    progress: action.progress,
    cancellable: action.cancellable,
    configOnly: action.config_only,
    onceHadNoOptionals: action.once_had_no_optargs,
    immediate: !action.blocking,
    oneMessage: action.protocol_limit_warning,
    aliases: action.non_c_aliases,
    inShell: action.in_fish,
    shellName: action.in_fish ? action.fish_name : undefined,
    shellAliases: action.fish_alias,
    shellOutput: action.fish_output ?? undefined,
  });
}

/** Our row in the same words. */
function fromRow(row: Procedure): unknown {
  const shell = row.shell === false ? undefined : row.shell;
  return plain({
    name: row.name,
    proc: row.proc,
    since: row.since,
    params: row.params.map(({ name, type, of }) => ({ name, type, of })),
    optional: (row.optional ?? []).map(({ name, type }) => ({ name, type })),
    returns: { ...row.returns, wide: undefined },
    group: row.group,
    visibility: row.visibility,
    deprecated: row.deprecated ?? false,
    progress: row.progress ?? false,
    cancellable: row.cancellable ?? false,
    configOnly: row.configOnly ?? false,
    onceHadNoOptionals: row.onceHadNoOptionals ?? false,
    immediate: row.immediate ?? false,
    oneMessage: row.oneMessage ?? false,
    aliases: row.aliases ?? [],
    inShell: row.shell !== false,
    shellName: row.shell === false ? undefined : kebabCase(row.name),
    shellAliases: shell?.aliases ?? [],
    shellOutput: shell?.output,
  });
}

const facts = readFacts();
if (!facts) console.log("skipped: facts/api.json is not in the folder `shared` beside this checkout");

describe("the table and the facts", { skip: facts ? false : "facts/api.json is not beside this checkout" }, () => {
  const { actions, ...rest } = facts as Facts;

  it("has every action and no other but our own", () => {
    const ours = procedures
      .filter((row) => topicOf(row.name) !== "extension" && topicOf(row.name) !== "retired")
      .map((row) => row.name);
    assert.deepEqual(ours.toSorted(), actions.map((action) => action.name).toSorted());
  });

  for (const action of facts?.actions ?? []) {
    it(action.name, () => {
      const row = procedureByName.get(action.name);
      assert.ok(row, "no row");
      assert.deepEqual(fromRow(row), fromFact(action));
    });
  }

  it("has the structs, columns in the same order", () => {
    const expected = rest.structs.map((struct) => ({
      name: struct.name,
      internal: struct.internal,
      fields: struct.cols.map((column) => ({
        name: column.name,
        type: known(columnKinds, column.type),
      })),
    }));
    const ours = structs.map((struct) => ({
      name: struct.name,
      internal: struct.internal ?? false,
      fields: struct.fields.map(({ name, type }) => ({ name, type })),
    }));
    assert.deepEqual(ours, expected);
  });

  it("has the optional groups, their members and which are retired", () => {
    const expected = rest.optgroups.map(({ name, retired }) => ({ name, retired }));
    assert.deepEqual(
      groups.map(({ name, retired }) => ({ name, retired: retired ?? false })),
      expected,
    );
    for (const group of rest.optgroups) {
      const members = procedures.filter((row) => row.group === group.name).map((row) => row.name);
      assert.deepEqual(members.toSorted(), group.actions.toSorted(), group.name);
    }
  });

  it("has the events and their masks", () => {
    assert.deepEqual(
      events.map(({ name, mask }) => ({ name, mask })),
      rest.events.map(({ name, mask }) => ({ name, mask })),
    );
    assert.equal(
      events.reduce((all, event) => all | event.mask, 0),
      rest.all_events_mask,
    );
  });

  it("has the errno names", () => {
    assert.deepEqual(errnoNames, rest.errnos);
  });

  it("uses a retired number only for a call that old peers still have", () => {
    for (const row of procedures) {
      if (row.proc === undefined || topicOf(row.name) === "retired") continue;
      assert.ok(!rest.protocol.retired_proc_nrs.includes(row.proc), `${row.name} has the retired number ${row.proc}`);
      assert.ok(row.proc <= rest.protocol.max_proc_nr || topicOf(row.name) === "extension", row.name);
    }
  });
});
