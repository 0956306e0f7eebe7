import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSimulation, parseUnknownPackages } from "./apt.ts";

test("what apt would install", () => {
  const output = `NOTE: This is only a simulation!
Reading package lists...
Inst libc6 (2.36-9+deb12u9 Debian:12.8/stable [amd64]) []
Inst bash (5.2.15-2+b7 Debian:12.8/stable [amd64])
Conf libc6 (2.36-9+deb12u9 Debian:12.8/stable [amd64])
`;
  assert.deepEqual(parseSimulation(output), [
    { name: "bash", version: "5.2.15-2+b7" },
    { name: "libc6", version: "2.36-9+deb12u9" },
  ]);
  assert.deepEqual(parseSimulation(""), []);
});

test("packages that a release does not have", () => {
  const stderr = "E: Unable to locate package nilfs-tools\nE: Package 'jfsutils' has no installation candidate\n";
  assert.deepEqual(parseUnknownPackages(stderr), ["nilfs-tools", "jfsutils"]);
});
