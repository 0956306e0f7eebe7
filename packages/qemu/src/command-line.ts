/** A virtual machine in our terms; {@link qemuArguments} puts it into QEMU's. */
export interface MachineDescription {
  /** Machine type with its properties, e.g. `{ type: "q35", hpet: "off" }`. */
  machine: { type: string } & Record<string, string>;
  /** Accelerator with its properties, e.g. `{ type: "tcg", thread: "multi" }`. */
  accelerator: { type: "kvm" | "tcg" } & Record<string, string>;
  /** Processor model with its properties, e.g. `{ type: "max", la57: "off" }`; undefined: the machine's own. */
  cpu: ({ type: string } & Record<string, string>) | undefined;
  /** Number of processors, 1 or more. */
  smp: number;
  /** Memory in MiB. */
  memoryMiB: number;
  /**
   * File that holds the memory, instead of memory of QEMU's own; its size must be `memoryMiB`. `share`: what the guest writes goes into
   * the file; else it stays private (copy on write) and the file is only read.
   */
  memoryFile?: { path: string; share: boolean };
  /** `true`: QEMU waits for a saved state (QMP's `migrate-incoming`). */
  incoming?: boolean;
  /** Kernel to boot directly, its initial RAM disk, and its command line. */
  kernel?: { image: string; initrd?: string; commandLine: string };
  /** Firmware image instead of the machine's own. */
  firmware?: string;
  /** `-chardev` objects; `id` and `backend` first, then the backend's properties. */
  chardevs: readonly ({ id: string; backend: string } & Record<string, string>)[];
  /** Chardev that speaks QMP. */
  qmpChardev?: string;
  /** Chardev of the first serial port. */
  serialChardev?: string;
  /** Block nodes, as QMP's `blockdev-add` takes them. */
  blockdevs: readonly Record<string, unknown>[];
  /** Devices, as QMP's `device_add` takes them; `driver` first. */
  devices: readonly ({ driver: string } & Record<string, unknown>)[];
  /** Network backends, as QMP's `netdev_add` takes them. */
  netdevs?: readonly ({ type: string; id: string } & Record<string, unknown>)[];
  /** `true`: the processors wait for QMP's `cont`. */
  paused?: boolean;
  /** Further arguments, put at the end as they are. */
  more?: readonly string[];
}

/** A value inside a QEMU option list: commas are doubled (qemu(1), "-drive", on names with commas). */
export function escapeOptionValue(value: string): string {
  if (value.includes("\0")) throw new TypeError("a value for QEMU can't hold a NUL byte");
  return value.replaceAll(",", ",,");
}

const optionList = (first: string, properties: Record<string, string>): string =>
  [
    escapeOptionValue(first),
    ...Object.entries(properties).map(([name, value]) => `${name}=${escapeOptionValue(value)}`),
  ].join(",");

const typed = ({ type, ...properties }: { type: string } & Record<string, string>): string =>
  optionList(type, properties);

/**
 * The arguments for QEMU: no default devices, no user's configuration files, system calls that QEMU doesn't need refused
 * (`-sandbox on` with everything denied that can be), no display, and an end of QEMU instead of a reboot.
 *
 * Values go in as they are: commas are escaped, block nodes and devices are JSON. Source: qemu(1).
 *
 * @throws TypeError when a string holds a NUL byte; RangeError when `smp` or `memoryMiB` is no positive integer
 */
export function qemuArguments(description: MachineDescription): string[] {
  for (const name of ["smp", "memoryMiB"] as const) {
    const value = description[name];
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name}: ${value} is not a positive integer`);
  }
  const { kernel, memoryFile } = description;
  const machine: MachineDescription["machine"] =
    memoryFile === undefined ? description.machine : { ...description.machine, "memory-backend": "memory" };
  const args = [
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    ...["-display", "none"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-machine", typed(machine)],
    ...["-accel", typed(description.accelerator)],
    ...(description.cpu === undefined ? [] : ["-cpu", typed(description.cpu)]),
    ...["-smp", String(description.smp)],
    ...["-m", `${description.memoryMiB}M`],
  ];
  if (memoryFile !== undefined) {
    const object = { "qom-type": "memory-backend-file", id: "memory", "mem-path": memoryFile.path };
    args.push("-object", JSON.stringify({ ...object, size: description.memoryMiB * 2 ** 20, share: memoryFile.share }));
  }
  if (description.incoming === true) args.push("-incoming", "defer");
  if (description.paused === true) args.push("-S");
  if (description.firmware !== undefined) args.push("-bios", description.firmware);
  if (kernel !== undefined) {
    args.push("-kernel", kernel.image);
    if (kernel.initrd !== undefined) args.push("-initrd", kernel.initrd);
    args.push("-append", kernel.commandLine);
  }
  for (const { id, backend, ...properties } of description.chardevs) {
    args.push("-chardev", optionList(backend, { id, ...properties }));
  }
  if (description.serialChardev !== undefined) args.push("-serial", `chardev:${description.serialChardev}`);
  if (description.qmpChardev !== undefined)
    args.push("-mon", optionList(`chardev=${description.qmpChardev}`, { mode: "control" }));
  for (const netdev of description.netdevs ?? []) args.push("-netdev", JSON.stringify(netdev));
  for (const blockdev of description.blockdevs) args.push("-blockdev", JSON.stringify(blockdev));
  for (const device of description.devices) args.push("-device", JSON.stringify(device));
  args.push(...(description.more ?? []));
  for (const arg of args) {
    if (arg.includes("\0")) throw new TypeError("an argument for QEMU can't hold a NUL byte");
  }
  return args;
}
