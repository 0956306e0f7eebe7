import type { OptionSpec } from "guestfs/command-line";

/** An option of guestfish, with what `--help` says of it. */
export interface GuestfishOption extends OptionSpec {
  readonly name: string;
  /** How the argument is written in the help. */
  readonly metavar?: string;
  /** Absent: an option that is accepted but not listed. */
  readonly summary?: string;
}

/** Every option, in the order of the help (guestfish(1), OPTIONS). */
export const optionTable: readonly GuestfishOption[] = [
  { name: "help", long: "help", summary: "show this help" },
  {
    name: "cmd-help",
    short: "h",
    long: "cmd-help",
    argument: "optional",
    metavar: "cmd",
    summary: "list the commands, or explain one",
  },
  {
    name: "add",
    short: "a",
    long: "add",
    argument: "required",
    metavar: "image",
    summary: "attach a disk image, or a disk given as URI",
  },
  {
    name: "blocksize",
    long: "blocksize",
    argument: "optional",
    metavar: "512|4096",
    summary: "sector size of the -a options that follow",
  },
  {
    name: "connect",
    short: "c",
    long: "connect",
    argument: "required",
    metavar: "uri",
    summary: "libvirt connection for -d",
  },
  { name: "csh", long: "csh", summary: "with --listen: print commands for csh" },
  {
    name: "domain",
    short: "d",
    long: "domain",
    argument: "required",
    metavar: "guest",
    summary: "attach the disks of a libvirt guest",
  },
  { name: "echo-keys", long: "echo-keys", summary: "show passphrases as they are typed" },
  {
    name: "file",
    short: "f",
    long: "file",
    argument: "required",
    metavar: "file",
    summary: "read commands from a file",
  },
  {
    name: "format",
    long: "format",
    argument: "optional",
    metavar: "raw|qcow2|..",
    summary: "format of the -a options that follow",
  },
  { name: "inspector", short: "i", long: "inspector", summary: "find the operating system and mount its file systems" },
  {
    name: "key",
    long: "key",
    argument: "required",
    metavar: "selector",
    summary: "passphrase of an encrypted device, for -i",
  },
  { name: "keys-from-stdin", long: "keys-from-stdin", summary: "read passphrases from standard input" },
  { name: "listen", long: "listen", summary: "serve commands of `guestfish --remote`" },
  {
    name: "live",
    long: "live",
    summary: "with -d: reach inside the machine while it runs",
  },
  {
    name: "mount",
    short: "m",
    long: "mount",
    argument: "required",
    metavar: "dev[:mnt[:opts[:fstype]]]",
    summary: "mount a file system, on / by default",
  },
  { name: "network", long: "network", summary: "give the appliance a network" },
  {
    name: "new",
    short: "N",
    long: "new",
    argument: "required",
    metavar: "[file=]type",
    summary: "make a prepared disk; `-N help` lists the types",
  },
  { name: "no-sync", short: "n", long: "no-sync", summary: "do not flush and unmount at the end" },
  { name: "no-dest-paths", long: "no-dest-paths", summary: "do not complete paths inside the guest" },
  { name: "no-dest-paths", short: "D" },
  { name: "pipe-error", long: "pipe-error", summary: "a command fails when its pipe is closed early" },
  { name: "progress-bars", long: "progress-bars", summary: "show progress even when no one is watching" },
  { name: "no-progress-bars", long: "no-progress-bars", summary: "never show progress" },
  {
    name: "remote",
    long: "remote",
    argument: "optional",
    metavar: "pid",
    summary: "send the commands to `guestfish --listen`",
  },
  { name: "ro", short: "r", long: "ro", summary: "attach and mount read-only" },
  { name: "selinux", long: "selinux", summary: "accepted for old scripts, does nothing" },
  { name: "verbose", short: "v", long: "verbose", summary: "log what the library and the appliance do" },
  { name: "version", short: "V", long: "version", summary: "show the version" },
  { name: "rw", short: "w", long: "rw", summary: "attach and mount for writing" },
  { name: "trace", short: "x", summary: "show each call before it runs" },
  { name: "long-options", long: "long-options" },
  { name: "short-options", long: "short-options" },
];
