import { getopt, parseKeySelector, parseMount } from "guestfs/command-line";
import type { AttachOption, MountOption, OptionSpec } from "guestfs/command-line";
import { UsageError } from "../tool-error.ts";

/** An option of a program, under the name that its value is asked for with. */
export interface ToolOption extends OptionSpec {
  readonly name: string;
}

/** Which machine is meant and how it is to be opened: the options that all programs share (virt-cat(1), OPTIONS). */
export interface MachineOptions {
  readonly drives: readonly AttachOption[];
  readonly mounts: readonly MountOption[];
  readonly keys: readonly string[];
  /** Connection of libvirt's. */
  readonly connect?: string;
  /** A running machine is to be reached inside. */
  readonly live: boolean;
  readonly verbose: boolean;
  readonly trace: boolean;
  /** The appliance is to reach the network. */
  readonly network: boolean;
  readonly keysFromStdin: boolean;
  readonly echoKeys: boolean;
}

/** What a command line says. */
export interface ToolArguments {
  readonly machine: MachineOptions;
  /** Values of a program's own options, the last one last; `""` for those without. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

const shared: readonly ToolOption[] = [
  { name: "add", short: "a", long: "add", argument: "required" },
  { name: "blocksize", long: "blocksize", argument: "optional" },
  { name: "connect", short: "c", long: "connect", argument: "required" },
  { name: "domain", short: "d", long: "domain", argument: "required" },
  { name: "echo-keys", long: "echo-keys" },
  { name: "format", long: "format", argument: "optional" },
  { name: "key", long: "key", argument: "required" },
  { name: "keys-from-stdin", long: "keys-from-stdin" },
  { name: "live", long: "live" },
  { name: "mount", short: "m", long: "mount", argument: "required" },
  { name: "verbose", short: "v", long: "verbose" },
  { name: "trace", short: "x", long: "trace" },
  { name: "long-options", long: "long-options" },
  { name: "short-options", long: "short-options" },
  { name: "help", long: "help" },
  { name: "version", short: "V", long: "version" },
];

/** What `--help` says of the shared options. */
export const machineHelp = `  -a, --add IMAGE         disk of the machine: a file, a device or a URI; may be repeated
  -d, --domain NAME       the machine, by its name or UUID in libvirt
      --live              with -d: reach inside the machine while it runs
  -c, --connect URI       libvirt to talk to (default: virsh's own)
      --format[=FMT]      format of the -a that follow (default: read from the image)
      --blocksize[=N]     sector size of the -a that follow
  -m, --mount DEV[:MNT[:OPTS[:FSTYPE]]]
                          mount this instead of what inspection finds; may be repeated
      --key SELECTOR      passphrase of an encrypted disk: ID:key:TEXT, ID:file:NAME, ID:clevis
      --keys-from-stdin   read passphrases from standard input
      --echo-keys         show passphrases as they are typed
  -v, --verbose           log what is done
  -x, --trace             show each call
      --help, --version
`;

function optionNames(specs: readonly ToolOption[], kind: "long" | "short"): string {
  const names = specs.map((spec) => (kind === "long" ? spec.long && `--${spec.long}` : spec.short && `-${spec.short}`));
  return names.flatMap((name) => (name === undefined ? [] : [`${name}\n`])).join("");
}

function sectorSize(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`--blocksize=${value}: not a number of bytes`);
  return Number(value);
}

/**
 * Takes a command line apart, in the manner of GNU getopt_long.
 * @param own - the program's own options
 * @throws UsageError; the CommandLineError of a key
 */
export function readToolArguments(argv: readonly string[], own: readonly ToolOption[]): ToolArguments {
  const drives: AttachOption[] = [];
  const mounts: MountOption[] = [];
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const specs = [...own, ...shared];
  let format = "";
  let blocksize = "";
  let pending: "format" | "blocksize" | undefined;
  for (const found of getopt(specs, argv)) {
    if (found.kind === "fault") throw new UsageError(found.message);
    if (found.kind === "word") {
      words.push(found.word);
      continue;
    }
    const { name } = found.spec;
    const value = found.value ?? "";
    if (name === "long-options" || name === "short-options") {
      process.stdout.write(optionNames(specs, name === "long-options" ? "long" : "short"));
      process.exit(0);
    }
    values.set(name, [...(values.get(name) ?? []), value]);
    if (name === "add") {
      drives.push({
        kind: "add",
        source: value,
        ...(format === "" ? {} : { format }),
        ...(blocksize === "" ? {} : { blocksize: sectorSize(blocksize) }),
      });
      pending = undefined;
    } else if (name === "domain") drives.push({ kind: "domain", domain: value });
    else if (name === "format") [format, pending] = [value, name];
    else if (name === "blocksize") [blocksize, pending] = [value, name];
    else if (name === "mount") mounts.push(parseMount(value));
  }
  if (pending !== undefined) throw new UsageError(`--${pending} has to stand before the -a that it is for`);
  const keys = values.get("key") ?? [];
  keys.forEach(parseKeySelector);
  const connect = values.get("connect")?.at(-1);
  return {
    machine: {
      drives,
      mounts,
      keys,
      ...(connect === undefined ? {} : { connect }),
      live: values.has("live"),
      verbose: values.has("verbose"),
      trace: values.has("trace"),
      network: values.has("network"),
      keysFromStdin: values.has("keys-from-stdin"),
      echoKeys: values.has("echo-keys"),
    },
    values,
    words,
  };
}
