import assert from "node:assert/strict";
import { test } from "node:test";
import { qemuArguments } from "@guestfs/qemu";
import { applianceMachine, kernelCommandLine } from "./machine.ts";
import type { MachineOptions } from "./machine.ts";

const options: MachineOptions = {
  appliance: {
    kernel: "/c/kernel",
    initrd: "/c/initrd",
    rootImage: "/c/a,b",
    systemImage: "/c/s",
    kernelVersion: "6.1",
    digest: "d",
  },
  accelerator: "tcg",
  smp: 1,
  memsize: 512,
  network: false,
  verbose: false,
  channelFd: 3,
  qmpFd: 4,
};

test("a machine: no network unless asked, images that can't be written, no descriptor confused", () => {
  const args = qemuArguments(applianceMachine(options)).join(" ");
  assert.doesNotMatch(args, /netdev|virtio-net/);
  assert.match(args, /"filename":"\/c\/a,b","read-only":true/);
  assert.match(args, /socket,id=channel,fd=3/);
  assert.match(args, /socket,id=qmp,fd=4/);
  assert.match(qemuArguments(applianceMachine({ ...options, network: true })).join(" "), /virtio-net-pci/);
  assert.match(qemuArguments(applianceMachine({ ...options, accelerator: "kvm" })).join(" "), /-accel kvm -cpu host/);
});

test("the kernel's command line", () => {
  assert.match(kernelCommandLine({ ...options, append: "a=b c" }), /quiet a=b c$/);
  const verbose = kernelCommandLine({ ...options, accelerator: "kvm", network: true, verbose: true });
  assert.match(verbose, /guestfs.verbose=1 guestfs.network=1$/);
  assert.doesNotMatch(verbose, /quiet|lpj/);
});
