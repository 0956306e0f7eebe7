import { normaliseName } from "./command.ts";
import type { CommandEntry } from "./command.ts";

/** The names of the commands that only the shell has, without their aliases. */
export type ShellCommandName =
  | "help"
  | "quit"
  | "alloc"
  | "copy-in"
  | "copy-out"
  | "delete-event"
  | "display"
  | "echo"
  | "edit"
  | "event"
  | "glob"
  | "hexedit"
  | "lcd"
  | "list-events"
  | "man"
  | "more"
  | "not"
  | "reopen"
  | "setenv"
  | "sparse"
  | "supported"
  | "time"
  | "unsetenv";

/** The commands that only the shell has (guestfish(1), GUESTFISH COMMANDS); the rest come from the table of calls. */
export const shellCommands: readonly CommandEntry<ShellCommandName>[] = [
  {
    name: "help",
    aliases: [],
    usage: ["", "cmd", "--list"],
    summary: "explain a command, or list the commands",
    description:
      "Without a parameter it says how to begin. With a command's name it explains that command; with --list (or -l) it lists them all.",
  },
  {
    name: "quit",
    aliases: ["exit", "q"],
    usage: [""],
    summary: "leave guestfish",
    description: "Closes the disks and leaves with status 0. The commands that follow are not run.",
  },
  {
    name: "alloc",
    aliases: ["allocate"],
    usage: ["filename size"],
    summary: "make a disk image with its space reserved, and attach it",
    description:
      "Makes a raw image of zeroes and reserves its space on this host. The size may have a suffix, such as 100M. 'sparse' makes an image that takes space only as it fills; 'disk-create' has more choices.",
  },
  {
    name: "copy-in",
    aliases: [],
    usage: ["local [local ...] /remotedir"],
    summary: "copy files and directories of this host into the guest",
    description:
      "Copies each local file or directory, with everything below it, into a directory of the guest that is there already. Wildcards are not expanded.",
  },
  {
    name: "copy-out",
    aliases: [],
    usage: ["remote [remote ...] localdir"],
    summary: "copy files and directories of the guest to this host",
    description:
      "Copies each file or directory of the guest, with everything below it, into a local directory that is there already. Use it with 'glob' to expand wildcards: glob copy-out /etc/*.conf .",
  },
  {
    name: "delete-event",
    aliases: [],
    usage: ["name"],
    summary: "remove the event handlers of that name",
    description: "Removes every handler that 'event' registered under the name.",
  },
  {
    name: "display",
    aliases: [],
    usage: ["filename"],
    summary: "show a picture of the guest",
    description: "Downloads the file and runs $GUESTFISH_DISPLAY_IMAGE (or 'display') on it.",
  },
  {
    name: "echo",
    aliases: [],
    usage: ["[params ...]"],
    summary: "print the parameters",
    description: "Prints the parameters with a space between them, and a new line.",
  },
  {
    name: "edit",
    aliases: ["vi", "emacs"],
    usage: ["filename"],
    summary: "edit a file of the guest",
    description:
      "Downloads the file, runs $EDITOR (or vi) on it, and uploads it when it changed; owner, mode and attributes stay. Called as 'vi' or 'emacs' it runs that editor.",
  },
  {
    name: "event",
    aliases: [],
    usage: ['name eventset "script ..."'],
    summary: "run a script of this host when something happens",
    description:
      "The event set is a comma-separated list of events, or * for all. The script runs under $SHELL with the event's name in $EVENT and what belongs to it in $1, $2 and so on: the text of a message, or procedure, serial, position and total of 'progress'.",
  },
  {
    name: "glob",
    aliases: [],
    usage: ["command [args ...]"],
    summary: "run a command for each path that matches",
    description:
      "Expands wildcards in the parameters against the guest's file system and runs the command for every combination. A parameter that matches nothing is passed as it is.",
  },
  {
    name: "hexedit",
    aliases: [],
    usage: ["<filename|device>", "<filename|device> max", "<filename|device> start max"],
    summary: "edit bytes of a file or a device of the guest",
    description:
      "Downloads the content, or at most 'max' bytes of it from 'start' on, runs $HEXEDITOR (or hexedit), and uploads what changed. Big content needs a limit.",
  },
  {
    name: "lcd",
    aliases: [],
    usage: ["directory"],
    summary: "change the directory of this host",
    description: "Changes guestfish's own current directory, which '!cd' can't do.",
  },
  {
    name: "list-events",
    aliases: [],
    usage: [""],
    summary: "list the event handlers",
    description: "Prints the name, the number, the events and the script of each handler.",
  },
  {
    name: "man",
    aliases: ["manual"],
    usage: [""],
    summary: "say where the manual is",
    description: "Prints where the reference of all commands is found.",
  },
  {
    name: "more",
    aliases: ["less"],
    usage: ["filename"],
    summary: "page through a file of the guest",
    description: "Downloads the file and runs $PAGER (or more) on it. Called as 'less' it runs less.",
  },
  {
    name: "not",
    aliases: [],
    usage: ["command [args ...]"],
    summary: "expect a command to fail",
    description: "Runs the command; succeeds when it fails, and fails when it succeeds.",
  },
  {
    name: "reopen",
    aliases: [],
    usage: [""],
    summary: "close the handle and begin with a fresh one",
    description: "The disks are closed and have to be attached again; event handlers are gone.",
  },
  {
    name: "setenv",
    aliases: [],
    usage: ["VAR value"],
    summary: "set an environment variable",
    description: "Sets a variable of guestfish and of the host commands that it runs. '!echo $VAR' prints it.",
  },
  {
    name: "sparse",
    aliases: [],
    usage: ["filename size"],
    summary: "make a sparse disk image and attach it",
    description:
      "Makes a raw image that takes space on this host only as it fills, and attaches it. The size may have a suffix, such as 10G.",
  },
  {
    name: "supported",
    aliases: [],
    usage: [""],
    summary: "list the feature groups and whether they can be used",
    description: "Prints each optional group that the daemon knows, followed by yes or no.",
  },
  {
    name: "time",
    aliases: [],
    usage: ["command [args ...]"],
    summary: "say how long a command takes",
    description: "Runs the command and prints the seconds that went by.",
  },
  {
    name: "unsetenv",
    aliases: [],
    usage: ["VAR"],
    summary: "remove an environment variable",
    description: "Removes a variable of guestfish and of the host commands that it runs.",
  },
];

/** The shell's own command of that name or alias. */
export function findShellCommand(name: string): CommandEntry<ShellCommandName> | undefined {
  const wanted = normaliseName(name);
  return shellCommands.find((entry) => entry.name === wanted || entry.aliases.includes(wanted));
}
