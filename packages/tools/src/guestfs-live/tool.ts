import { machineOptions, parseCommandLine } from "../command-line.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";
import { clientsMax } from "guestfs/internal";
import type { Domain } from "./domain.ts";
import { disable, enable } from "./enable.ts";
import { freeze } from "./freeze.ts";
import type { FrozenWork } from "./freeze.ts";
import type { OffMachine } from "./guest-root.ts";
import { install, uninstall } from "./install.ts";
import { status, statusOfDisks } from "./status.ts";

const help = `guestfs-live: live access to running machines

usage: guestfs-live [-c URI] install (-a DISK [-a DISK ...] | -d NAME) [--package FILE]
       guestfs-live [-c URI] uninstall (-a DISK [-a DISK ...] | -d NAME)
       guestfs-live [-c URI] enable NAME [--channels N] [--window]
       guestfs-live [-c URI] disable NAME [--window]
       guestfs-live [-c URI] status (NAME | -d NAME | -a DISK [-a DISK ...]) [--json]
       guestfs-live [-c URI] freeze NAME [--seconds N] [--mountpoint PATH ...] -- COMMAND [ARG ...]

install    puts guestfsd, what it needs and a unit that udev starts into a machine that is off
uninstall  removes it again, with its policy
enable     gives a domain of libvirt a channel for guestfsd; while it runs as well
disable    takes its window and its channels away, with --window its window alone
status     says what is there: channel, daemon, version, policy, last client; exit status 3 when
           the machine can't be used live as it is. With -a, or with -d for a machine that is off,
           what is installed on its disks, of which no byte changes
freeze     has the machine's filesystems hold still, consistent on their disks, while COMMAND runs
           here, to make a snapshot for instance; exit status is COMMAND's, or 3 when it took
           longer than N seconds, after which the machine goes on by itself

  -a, --add DISK      image of a disk of the machine
  -d, --domain NAME   the machine, by its name in libvirt
  -c, --connect URI   libvirt to talk to (default: virsh's own)
      --format FMT    format of the disks of -a (default: read from the images)
      --package FILE  Debian package to install, as npm run deb makes it (default: made now)
      --channels N    how many clients may work with the machine at once (default 1)
      --window        large uploads go through a disk in memory, until the machine ends: read-only
                      for it, /dev/shm/guestfs-window-UUID here. While a machine has one, it
                      can't be migrated, nor saved and restored after the host's next start
      --json          print the status as JSON
      --seconds N     how long the machine holds still at most, 1 to 600 (default 30)
      --mountpoint P  freeze the filesystem mounted there, and no others but those named so too
  -v, --verbose       log what is done
      --help, --version
`;

const options = {
  ...machineOptions,
  package: { type: "string" },
  channels: { type: "string" },
  window: { type: "boolean" },
  json: { type: "boolean" },
  seconds: { type: "string" },
  mountpoint: { type: "string", multiple: true },
} as const;

const optionsOf: Readonly<Record<string, readonly (keyof typeof options)[]>> = {
  install: ["add", "domain", "format", "package"],
  uninstall: ["add", "domain", "format"],
  enable: ["channels", "window"],
  disable: ["window"],
  status: ["add", "domain", "format", "json"],
  freeze: ["seconds", "mountpoint"],
};

type Values = ReturnType<typeof parseCommandLine<typeof options>>["values"];

function offMachine(command: string, values: Values, words: readonly string[]): OffMachine {
  const { add: disks = [], domain, connect, format, verbose = false } = values;
  if (words.length > 0)
    throw new UsageError(`${command} takes no ${JSON.stringify(words[0])}: name a DISK with -a, or a machine with -d`);
  if (disks.length > 0 === (domain !== undefined)) throw new UsageError(`${command} takes either -a DISK or -d NAME`);
  return { disks, domain, connect, format, verbose };
}

function domainOf(command: string, { connect }: Values, words: readonly string[]): Domain {
  const [name, ...others] = words;
  if (name === undefined || others.length > 0) throw new UsageError(`${command} takes the NAME of one machine`);
  return { connection: { uri: connect }, name };
}

function numberOf(option: string, text: string, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > max) throw new UsageError(`--${option} ${text}: from 1 to ${max}`);
  return number;
}

function frozenWork(
  { seconds = "30", mountpoint = [], verbose = false }: Values,
  [program, ...args]: readonly string[],
): FrozenWork {
  if (program === undefined) throw new UsageError("freeze takes a COMMAND to run meanwhile, after --");
  return { program, args, seconds: numberOf("seconds", seconds, 600), mountpoints: mountpoint, verbose };
}

async function run(args: readonly string[]): Promise<number | void> {
  const { values, positionals } = parseCommandLine(args, options);
  const [command = "", ...words] = positionals;
  const taken = optionsOf[command];
  if (taken === undefined)
    throw new UsageError(command === "" ? "say what to do" : `there is no ${JSON.stringify(command)}`);
  for (const name of Object.keys(values) as (keyof typeof options)[])
    if (!["connect", "verbose", ...taken].includes(name)) throw new UsageError(`${command} takes no --${name}`);
  switch (command) {
    case "install":
      return install(offMachine(command, values, words), values.package);
    case "uninstall":
      return uninstall(offMachine(command, values, words));
    case "enable":
      return enable(domainOf(command, values, words), {
        channels: numberOf("channels", values.channels ?? "1", clientsMax),
        window: values.window ?? false,
      });
    case "disable":
      return disable(domainOf(command, values, words), values.window === true ? "window" : "all");
    case "freeze":
      return freeze(domainOf(command, values, words.slice(0, 1)), frozenWork(values, words.slice(1)));
    default: {
      const json = values.json ?? false;
      if (values.add !== undefined || values.domain !== undefined)
        return statusOfDisks(offMachine(command, values, words), json);
      return status(domainOf(command, values, words), json);
    }
  }
}

export const tool: Tool = { name: "guestfs-live", help, run };
