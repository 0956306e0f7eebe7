import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeOptionValue, qemuArguments } from "./command-line.ts";
import type { MachineDescription } from "./command-line.ts";

const machine: MachineDescription = {
  machine: { type: "q35", hpet: "off" },
  accelerator: { type: "tcg", thread: "multi" },
  cpu: { type: "max" },
  smp: 2,
  memoryMiB: 512,
  kernel: { image: "/boot/a,b", initrd: "/i", commandLine: "quiet, please" },
  chardevs: [{ id: "log", backend: "file", path: "/tmp/a,b=c" }],
  serialChardev: "log",
  qmpChardev: "qmp",
  blockdevs: [{ driver: "file", filename: 'x","driver":"vvfat' }],
  devices: [{ driver: "scsi-hd", serial: "a,b" }],
  paused: true,
  more: ["-uuid", "x"],
};

const after = (args: readonly string[], name: string): string | undefined => args[args.indexOf(name) + 1];

test("a machine as arguments", () => {
  const args = qemuArguments(machine);
  for (const fixed of ["-nodefaults", "-no-user-config", "-S", "-no-reboot"]) assert.ok(args.includes(fixed), fixed);
  assert.match(after(args, "-sandbox") ?? "", /^on,.*spawn=deny/);
  assert.equal(after(args, "-machine"), "q35,hpet=off");
  assert.equal(after(args, "-accel"), "tcg,thread=multi");
  assert.equal(after(args, "-m"), "512M");
  assert.deepEqual(args.slice(-2), ["-uuid", "x"]);
  assert.equal(after(args, "-kernel"), "/boot/a,b");
  assert.equal(after(args, "-append"), "quiet, please");
  assert.equal(after(args, "-chardev"), "file,id=log,path=/tmp/a,,b=c");
  assert.deepEqual(JSON.parse(after(args, "-blockdev") ?? ""), machine.blockdevs[0]);
  assert.deepEqual(JSON.parse(after(args, "-device") ?? ""), machine.devices[0]);
});

test("values with commas can't become options", () => {
  assert.equal(escapeOptionValue("a,readonly=off"), "a,,readonly=off");
  assert.throws(() => escapeOptionValue("a\0b"), TypeError);
  assert.throws(() => qemuArguments({ ...machine, firmware: "a\0b" }), TypeError);
});

test("numbers out of range", () => {
  for (const smp of [0, -1, 1.5, Number.NaN]) assert.throws(() => qemuArguments({ ...machine, smp }), /smp/);
  assert.throws(() => qemuArguments({ ...machine, memoryMiB: 0 }), RangeError);
});
