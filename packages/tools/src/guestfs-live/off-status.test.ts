import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOfOff } from "./off-status.ts";

test("nothing of a machine steers the terminal that its report goes to", () => {
  const hostile = "x\u001b]0;title\u0007\u009b2J\u202e\nlive access: yes";
  const lines = linesOfOff({
    machine: "guest",
    state: "off",
    system: hostile,
    daemon: { package: "guestfsd-live", version: hostile },
    policy: hostile,
    unit: undefined,
    udev: undefined,
    lastChange: { time: "2026-01-01T00:00:00.000Z", message: hostile },
    problem: `it is broken: ${hostile}`,
  });
  assert.equal(lines[1], "system:  x?]0;title??2J??live access: yes");
  assert.equal(lines[5], "live access: no: it is broken: x?]0;title??2J?\nlive access: yes");
  assert.ok(lines.every((line) => !/(?!\n)[\p{Cc}\p{Cf}]/u.test(line)));
});
