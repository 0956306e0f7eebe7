import { parseArgs } from "node:util";

/** The command line, taken apart. */
export interface CommandLine {
  /** path of a port or socket, or `fd:N` */
  readonly channels: readonly [string, ...string[]];
  readonly listen: boolean;
  readonly live: boolean;
  readonly network: boolean;
  readonly verbose: boolean;
  readonly sysroot: string | undefined;
  /** file with the policy; `undefined` for the default place when live, and for none when not */
  readonly policy: string | undefined;
  /** folder for notes to the other daemons of the machine, on a filesystem in memory */
  readonly runFolder: string;
}

const defaultChannel = "/dev/virtio-ports/org.libguestfs.channel.0";

/** What `-?` prints. */
export const usage = `guestfsd: serves the files and disks of this machine to a libguestfs client

usage: guestfsd [-c|--channel PATH|fd:N] [-l|--listen] [-r] [-n|--network] [-v|--verbose] [--sysroot DIR]

  -c, --channel PATH  virtio-serial port, or unix socket with --listen
                      (default /dev/virtio-ports/org.libguestfs.channel.0)
                      given several times: each is served, at the same time
  -c, --channel fd:N  a descriptor that is already open
  -l, --listen        make the unix socket and serve one client after another
  -r                  live: the guest's / is this machine's /
  -n, --network       let the guest's programs use the network
  -v, --verbose       log every call to stderr
      --policy FILE   what clients may do, see docs/guide/live.md
                      (with -r: /etc/guestfsd/policy.json, when it is there)
      --run-dir DIR   notes for other daemons of this machine (default /run/guestfsd)
      --sysroot DIR   the folder that is the guest's / (default /sysroot)
  -?, --help          print this
`;

/** Either a command line, or a reason to stop with the exit status it gives. */
export type ParsedOptions =
  | { readonly commandLine: CommandLine }
  | { readonly exitStatus: number; readonly output: string };

/** Reads the options of the stock guestfsd and our own `--sysroot`; like the stock one, a wrong option prints the usage and ends with status 0. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        channel: { type: "string", short: "c", multiple: true },
        listen: { type: "boolean", short: "l", default: false },
        live: { type: "boolean", short: "r", default: false },
        network: { type: "boolean", short: "n", default: false },
        test: { type: "boolean", short: "t", default: false },
        verbose: { type: "boolean", short: "v", default: false },
        sysroot: { type: "string" },
        policy: { type: "string" },
        "run-dir": { type: "string", default: "/run/guestfsd" },
        help: { type: "boolean", short: "?", default: false },
      },
    });
    if (values.help) return { exitStatus: 0, output: usage };
    if (positionals.length > 0)
      return { exitStatus: 1, output: `guestfsd: no argument is taken: ${positionals.join(" ")}\n${usage}` };
    const { listen, live, network, verbose, sysroot, policy, "run-dir": runFolder } = values;
    const [first = defaultChannel, ...others] = values.channel ?? [];
    return {
      commandLine: { channels: [first, ...others], listen, live, network, verbose, sysroot, policy, runFolder },
    };
  } catch (error) {
    return { exitStatus: 0, output: `guestfsd: ${(error as Error).message}\n${usage}` };
  }
}

/** The arguments that a command line was made of. */
export function argumentsFor({ channels, ...rest }: CommandLine): string[] {
  const { listen, live, network, verbose, sysroot, policy, runFolder } = rest;
  return [
    ...channels.flatMap((channel) => ["--channel", channel]),
    ...(listen ? ["--listen"] : []),
    ...(live ? ["-r"] : []),
    ...(network ? ["--network"] : []),
    ...(verbose ? ["--verbose"] : []),
    ...(sysroot === undefined ? [] : ["--sysroot", sysroot]),
    ...(policy === undefined ? [] : ["--policy", policy]),
    ...["--run-dir", runFolder],
  ];
}
