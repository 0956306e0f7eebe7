import assert from "node:assert/strict";
import { test } from "node:test";
import { getopt, parseMount } from "guestfs/command-line";
import type { OptionSpec } from "guestfs/command-line";
import { parseOptions } from "./options.ts";
import type { Invocation } from "./options.ts";
import { ShellError } from "./shell-error.ts";

function options(...argv: string[]): Invocation {
  const parsed = parseOptions(argv);
  assert.ok(!("answer" in parsed), "an answer instead of an invocation");
  return parsed;
}

test("getopt follows getopt_long", () => {
  const specs: readonly OptionSpec[] = [
    { short: "a", long: "add", argument: "required" },
    { short: "r", long: "ro" },
    { long: "rw" },
    { short: "h", argument: "optional" },
  ];
  const found = (...argv: string[]): unknown[] =>
    [...getopt(specs, argv)].map((item) =>
      item.kind === "option"
        ? [item.spec.short ?? item.spec.long, item.value]
        : item.kind === "word"
          ? item.word
          : item.message,
    );
  assert.deepEqual(found("x", "-ra", "1", "--add=2", "--ad", "3", "-hy", "-h", "z"), [
    "x",
    ["r", undefined],
    ["a", "1"],
    ["a", "2"],
    ["a", "3"],
    ["h", "y"],
    ["h", undefined],
    "z",
  ]);
  assert.deepEqual(found("-", "--", "-r", "--", "x"), ["-", "-r", "--", "x"]);
  assert.deepEqual(found("--r"), ["option '--r' is ambiguous: --ro --rw"]);
  assert.deepEqual(found("--nope=1"), ["unrecognized option '--nope=1'"]);
  assert.deepEqual(found("--ro=1"), ["option '--ro' takes no argument"]);
  assert.deepEqual(found("--add"), ["option '--add' needs an argument"]);
  assert.deepEqual(found("-a"), ["option -- 'a' needs an argument"]);
  assert.deepEqual(found("-z"), ["invalid option -- 'z'"]);
});

test("--format and --blocksize are for the -a that follow", () => {
  assert.deepEqual(
    options("--format=raw", "--blocksize=4096", "-a", "a", "--format", "--blocksize", "-a", "b").drives,
    [
      { kind: "add", source: "a", format: "raw", blocksize: 4096 },
      { kind: "add", source: "b" },
    ],
  );
  assert.throws(() => parseOptions(["-a", "x", "--format=raw"]), ShellError);
  assert.throws(() => parseOptions(["--format"]), ShellError);
  assert.throws(() => parseOptions(["--blocksize=x", "-a", "y"]), ShellError);
  assert.deepEqual(options("--format", "raw", "-a", "x").words, ["raw"]);
});

test("options may stand among the words, until --", () => {
  const parsed = options("echo", "a", "-n", "b", "--", "-n");
  assert.deepEqual([parsed.words, parsed.autosync], [["echo", "a", "b", "-n"], false]);
});

test("disks keep their order, prepared ones their number", () => {
  assert.deepEqual(options("-N", "fs:ext4:32M", "-d", "guest", "-N", "x.img=disk", "-N", "lv").drives, [
    { kind: "new", file: "test1.img", type: "fs", parameters: ["ext4", "32M"] },
    { kind: "domain", domain: "guest" },
    { kind: "new", file: "x.img", type: "disk", parameters: [] },
    { kind: "new", file: "test3.img", type: "lv", parameters: [] },
  ]);
});

test("mounts have up to four parts", () => {
  assert.deepEqual(parseMount("/dev/sda1"), { mountable: "/dev/sda1", mountpoint: "/" });
  assert.deepEqual(parseMount("/dev/sda1:/x"), { mountable: "/dev/sda1", mountpoint: "/x" });
  assert.deepEqual(parseMount("/dev/sda1:/:acl,ro:ext3"), {
    mountable: "/dev/sda1",
    mountpoint: "/",
    options: "acl,ro",
    fstype: "ext3",
  });
  assert.deepEqual(parseMount("/dev/sda1::noatime"), { mountable: "/dev/sda1", mountpoint: "/", options: "noatime" });
  assert.deepEqual(parseMount("btrfsvol:/dev/sda1/root:/"), { mountable: "btrfsvol:/dev/sda1/root", mountpoint: "/" });
});

test("questions are answered before later mistakes are found", () => {
  assert.deepEqual(parseOptions(["--help", "--nonsense"]), { answer: "help" });
  assert.deepEqual(parseOptions(["-V"]), { answer: "version" });
  assert.deepEqual(parseOptions(["-h"]), { answer: "commands", command: undefined });
  assert.deepEqual(parseOptions(["-h", "mount"]), { answer: "commands", command: "mount" });
  assert.deepEqual(parseOptions(["-hmount"]), { answer: "commands", command: "mount" });
  assert.deepEqual(parseOptions(["--cmd-help=mount"]), { answer: "commands", command: "mount" });
  assert.deepEqual(parseOptions(["-h", "-a"]), { answer: "commands", command: undefined });
  assert.deepEqual(parseOptions(["-N", "help"]), { answer: "prepared-disks" });
});

test("what contradicts itself is refused", () => {
  for (const argv of [
    ["--ro", "--rw"],
    ["-f", "a", "-f", "b"],
    ["--listen", "-f", "x"],
    ["--listen", "echo"],
    ["--remote=x"],
    ["--mount"],
    ["-z"],
  ]) {
    assert.throws(() => parseOptions(argv), ShellError, argv.join(" "));
  }
});

test("what is set for all runs counts where the command line says nothing", () => {
  const readOnly = (...argv: string[]): unknown => {
    const parsed = parseOptions(argv, () => true);
    return "readOnly" in parsed && parsed.readOnly;
  };
  assert.deepEqual([readOnly(), readOnly("--rw"), readOnly("--ro")], [true, false, true]);
});
