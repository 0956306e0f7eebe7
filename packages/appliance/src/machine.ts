import { windowSerial } from "@guestfs/protocol";
import type { MachineDescription } from "@guestfs/qemu";
import type { BuiltAppliance } from "./build.ts";
import { slotParts } from "./drive-slot.ts";
import { channelName } from "./guest-scripts.ts";
import { windowFd } from "./machine-process.ts";

/** What differs from one appliance machine to the next; its drives are attached afterwards. */
export interface MachineOptions {
  appliance: BuiltAppliance;
  accelerator: "kvm" | "tcg";
  smp: number;
  memsize: number;
  network: boolean;
  verbose: boolean;
  /** Words for the end of the kernel's command line. */
  append?: string | undefined;
  /** Further arguments for QEMU. */
  hvArguments?: readonly string[] | undefined;
  /** Words of ours for the kernel's command line, e.g. `guestfs.template=1`. */
  words?: readonly string[];
  /** Whether it has the disk that a launch fills with its first drive. Default `false`. */
  slot?: boolean;
  /** File that holds the memory. */
  memoryFile?: { path: string; share: boolean };
  /** `true`: a saved state will be loaded. */
  incoming?: boolean;
  /** Descriptors in QEMU of the daemon's channel and of QMP. */
  channelFd: number;
  qmpFd: number;
}

// lpj, no_timer_check, tsc: spare calibrations that depend on real time. cryptomgr.notests: self-tests of every algorithm take 0.5 s under TCG.
const kernelWords = [
  ...[
    "console=ttyS0",
    "panic=1",
    "edd=off",
    "mitigations=off",
    "random.trust_cpu=on",
    "cryptomgr.notests",
    "printk.time=1",
  ],
  // khugepaged looks through memory soon after a clone was restored: 600 of the 21,000 blocks that TCG translates for launch, mount, cat.
  "transparent_hugepage=never",
  // Pages are cleared where somebody needs them clear; clearing each one that a file is read into costs a tenth of reading it.
  "init_on_alloc=0",
  // Nothing here is told apart by security modules, groups of processes or pressure; keeping count of them costs each system call some.
  ...["lsm=", "cgroup_disable=memory", "psi=0", "audit=0", "ipv6.disable=0"],
];
// norandmaps: TCG's translations belong to addresses. Where programs and libraries are at the same ones each time, the second that starts runs
// on the translations of the first: `lvs` takes 100 ms instead of 340.
const tcgWords = ["lpj=4000000", "no_timer_check", "tsc=reliable", "norandmaps"];

// The daemon's port and the one that is kept for a console. Linux looks through the queues of 31, which is the default, at each interrupt, unless
// every queue has one of its own: two queues a port and two for control, and one more for changes of the device.
const ports = { max_ports: 2, vectors: 7 };

// erms, fsrm: with these the kernel and the C library copy memory with an instruction that TCG carries out byte by byte; without, by
// words, five times as fast. pku: with it, TCG forgets all it knows of the guest's pages each time the daemon goes to sleep or wakes up.
const tcgProcessor = { type: "max", la57: "off", erms: "off", fsrm: "off", pku: "off" };

/** The guest kernel's command line. */
export function kernelCommandLine(
  options: Pick<MachineOptions, "accelerator" | "network" | "verbose" | "append" | "words">,
): string {
  // The daemon looks for a word of ours to know that it is in the appliance.
  const words = [...kernelWords, "guestfs.appliance=1", ...(options.words ?? [])];
  if (options.accelerator === "tcg") words.push(...tcgWords);
  if (!options.verbose) words.push("quiet");
  if (options.verbose) words.push("guestfs.verbose=1");
  if (options.network) words.push("guestfs.network=1");
  if (options.append !== undefined && options.append !== "") words.push(options.append);
  return words.join(" ");
}

const imageNode = (name: string, filename: string): Record<string, unknown> => ({
  driver: "raw",
  "node-name": name,
  "read-only": true,
  file: { driver: "file", filename, "read-only": true, locking: "off" },
});

const windowNode = {
  driver: "raw",
  "node-name": "window",
  cache: { "no-flush": true },
  file: { driver: "file", filename: `/dev/fd/${windowFd}`, locking: "off", cache: { "no-flush": true } },
};

/** The appliance's machine, paused, without the user's drives. Pure. */
export function applianceMachine(options: MachineOptions): MachineDescription {
  const { appliance, accelerator } = options;
  // With TCG, what the guest hands to a device is taken by its own thread, which is there already, sooner than by QEMU's main loop.
  const kick = accelerator === "tcg" ? { ioeventfd: false } : {};
  const slot = options.slot === true ? slotParts : { blockdevs: [], devices: [] };
  return {
    machine: { type: "q35", hpet: "off", vmport: "off", sata: "off", smbus: "off", usb: "off", i8042: "off" },
    accelerator: accelerator === "tcg" ? { type: "tcg", thread: "multi", "tb-size": "256" } : { type: "kvm" },
    cpu: accelerator === "tcg" ? tcgProcessor : { type: "host" },
    smp: options.smp,
    memoryMiB: options.memsize,
    kernel: { image: appliance.kernel, initrd: appliance.initrd, commandLine: kernelCommandLine(options) },
    chardevs: [
      { id: "console", backend: "stdio", signal: "off" },
      { id: "channel", backend: "socket", fd: String(options.channelFd) },
      { id: "qmp", backend: "socket", fd: String(options.qmpFd) },
    ],
    serialChardev: "console",
    qmpChardev: "qmp",
    blockdevs: [
      imageNode("root", appliance.rootImage),
      imageNode("system", appliance.systemImage),
      windowNode,
      ...slot.blockdevs,
    ],
    netdevs: options.network ? [{ type: "user", id: "net0" }] : [],
    devices: [
      // The daemon is told which targets to look at; what the events of hot-plugging would start again costs time.
      { driver: "virtio-scsi-pci", id: "scsi0", hotplug: false, ...kick },
      ...slot.devices,
      { driver: "virtio-serial-pci", id: "serial0", ...ports, ...kick },
      { driver: "virtserialport", chardev: "channel", name: channelName, bus: "serial0.0" },
      { driver: "virtio-blk-pci", drive: "root", ...kick },
      { driver: "virtio-blk-pci", drive: "system", ...kick },
      { driver: "virtio-blk-pci", drive: "window", serial: windowSerial, ...kick },
      ...(options.network ? [{ driver: "virtio-net-pci", netdev: "net0", romfile: "" }] : []),
    ],
    paused: true,
    ...(options.memoryFile === undefined ? {} : { memoryFile: options.memoryFile }),
    ...(options.incoming === true ? { incoming: true } : {}),
    more: options.hvArguments ?? [],
  };
}
