import { parseArgs } from "node:util";

/** The command line, taken apart. */
export interface CommandLine {
  /** path of a port or socket, or `fd:N` */
  readonly channel: string;
  readonly listen: boolean;
  readonly live: boolean;
  readonly network: boolean;
  readonly verbose: boolean;
  readonly sysroot: string | undefined;
}

/** What `-?` prints. */
export const usage = `guestfsd: serves the files and disks of this machine to a libguestfs client

usage: guestfsd [-c|--channel PATH|fd:N] [-l|--listen] [-r] [-n|--network] [-v|--verbose] [--sysroot DIR]

  -c, --channel PATH  virtio-serial port, or unix socket with --listen
                      (default /dev/virtio-ports/org.libguestfs.channel.0)
  -c, --channel fd:N  a descriptor that is already open
  -l, --listen        make the unix socket and serve one client after another
  -r                  live: the guest's / is this machine's /
  -n, --network       let the guest's programs use the network
  -v, --verbose       log every call to stderr
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
        channel: { type: "string", short: "c", default: "/dev/virtio-ports/org.libguestfs.channel.0" },
        listen: { type: "boolean", short: "l", default: false },
        live: { type: "boolean", short: "r", default: false },
        network: { type: "boolean", short: "n", default: false },
        test: { type: "boolean", short: "t", default: false },
        verbose: { type: "boolean", short: "v", default: false },
        sysroot: { type: "string" },
        help: { type: "boolean", short: "?", default: false },
      },
    });
    if (values.help) return { exitStatus: 0, output: usage };
    if (positionals.length > 0)
      return { exitStatus: 1, output: `guestfsd: no argument is taken: ${positionals.join(" ")}\n${usage}` };
    const { channel, listen, live, network, verbose, sysroot } = values;
    return { commandLine: { channel, listen, live, network, verbose, sysroot } };
  } catch (error) {
    return { exitStatus: 0, output: `guestfsd: ${(error as Error).message}\n${usage}` };
  }
}
