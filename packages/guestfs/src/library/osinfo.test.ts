import assert from "node:assert/strict";
import { test } from "node:test";
import { osinfoId } from "./osinfo.ts";

const nothing = { major: 0, minor: 0, product: "", variant: "", build: 0 };

const linux: readonly [distro: string, major: number, minor: number, id: string][] = [
  ["debian", 12, 5, "debian12"],
  ["ubuntu", 22, 4, "ubuntu22.04"],
  ["fedora", 40, 0, "fedora40"],
  ["centos", 7, 9, "centos7.9"],
  ["centos", 9, 0, "centos9"],
  ["rhel", 9, 4, "rhel9.4"],
  ["sles", 15, 0, "sles15"],
  ["sles", 15, 5, "sles15sp5"],
  ["archlinux", 0, 0, "archlinux"],
  ["unknown", 0, 0, "linux"],
];

for (const [distro, major, minor, id] of linux)
  test(`${distro} ${major}.${minor} is ${id}`, () => {
    assert.equal(osinfoId({ ...nothing, type: "linux", distro, major, minor }), id);
  });

test("Windows", () => {
  const windows = { ...nothing, type: "windows", distro: "windows" };
  assert.equal(osinfoId({ ...windows, major: 6, minor: 1, variant: "Client" }), "win7");
  assert.equal(osinfoId({ ...windows, major: 6, minor: 1, variant: "Server" }), "win2k8r2");
  assert.equal(osinfoId({ ...windows, major: 10, minor: 0, build: 19045 }), "win10");
  assert.equal(osinfoId({ ...windows, major: 10, minor: 0, build: 22631 }), "win11");
  assert.equal(
    osinfoId({ ...windows, major: 10, minor: 0, variant: "Server", product: "Windows Server 2022 Standard" }),
    "win2k22",
  );
  assert.equal(osinfoId({ ...windows, major: 4, minor: 0 }), "unknown");
});

test("others", () => {
  assert.equal(osinfoId({ ...nothing, type: "freebsd", distro: "freebsd", major: 14, minor: 1 }), "freebsd14.1");
  assert.equal(osinfoId({ ...nothing, type: "minix", distro: "unknown" }), "unknown");
});
