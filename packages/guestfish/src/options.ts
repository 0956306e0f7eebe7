import { getopt, parseMount } from "guestfs/command-line";
import type { AttachOption, MountOption } from "guestfs/command-line";
import { optionTable } from "./option-table.ts";
import { ShellError } from "./shell-error.ts";

/** A disk to attach, in the order of the command line. */
export type DriveOption =
  | AttachOption
  | { readonly kind: "new"; readonly file: string; readonly type: string; readonly parameters: readonly string[] };

/** Everything the command line asks for, once its options are understood. */
export interface Invocation {
  readonly drives: readonly DriveOption[];
  readonly mounts: readonly MountOption[];
  readonly keys: readonly string[];
  readonly file?: string;
  readonly connect?: string;
  readonly inspector: boolean;
  readonly readOnly: boolean;
  readonly network: boolean;
  readonly autosync: boolean;
  readonly verbose: boolean;
  readonly trace: boolean;
  readonly pipeError: boolean;
  readonly keysFromStdin: boolean;
  readonly echoKeys: boolean;
  readonly completeGuestPaths: boolean;
  /** Absent: the shell decides by whether a person is watching. */
  readonly progressBars?: boolean;
  /** Absent: not asked for. */
  readonly remote?:
    | { readonly kind: "listen"; readonly csh: boolean }
    | { readonly kind: "send"; readonly pid: string | undefined };
  readonly live: boolean;
  readonly warnings: readonly string[];
  /** What is left: commands separated by `:`. */
  readonly words: readonly string[];
}

/** Options that are answered at once, instead of running anything. */
export type Answer =
  | { readonly answer: "help" | "version" | "long-options" | "short-options" | "prepared-disks" }
  | { readonly answer: "commands"; readonly command: string | undefined };

/**
 * Understands the command line after the program's name (guestfish(1), OPTIONS).
 * Throws {@link ShellError} for one that is wrong.
 * @param readOnly - what holds where neither `--ro` nor `--rw` is given
 */
export function parseOptions(argv: readonly string[], readOnly: () => boolean = () => false): Invocation | Answer {
  const drives: DriveOption[] = [];
  const mounts: MountOption[] = [];
  const keys: string[] = [];
  const words: string[] = [];
  const warnings: string[] = [];
  const seen = new Set<string>();
  const text = new Map<string, string>();
  let format: string | undefined;
  let blocksize: number | undefined;
  let pending: "format" | "blocksize" | undefined;
  let created = 0;

  for (const found of getopt(optionTable, argv)) {
    if (found.kind === "fault") throw new ShellError(`guestfish: ${found.message}\nTry 'guestfish --help'.`);
    if (found.kind === "word") {
      words.push(found.word);
      continue;
    }
    const { name } = found.spec;
    const value = found.value ?? "";
    seen.add(name);
    switch (name) {
      case "help":
      case "version":
      case "long-options":
      case "short-options":
        return { answer: name };
      case "cmd-help": {
        const next = found.following[0];
        return { answer: "commands", command: found.value ?? (next?.startsWith("-") === false ? next : undefined) };
      }
      case "add":
        drives.push({
          kind: "add",
          source: value,
          ...(format !== undefined && { format }),
          ...(blocksize !== undefined && { blocksize }),
        });
        pending = undefined;
        break;
      case "format":
        format = found.value === undefined || found.value === "" ? undefined : found.value;
        pending = "format";
        break;
      case "blocksize":
        blocksize = found.value === undefined || found.value === "" ? undefined : sectorSize(found.value);
        pending = "blocksize";
        break;
      case "domain":
        drives.push({ kind: "domain", domain: value });
        break;
      case "new":
        if (value === "help" || value === "list") return { answer: "prepared-disks" };
        drives.push(preparedDisk(value, ++created));
        break;
      case "mount":
        mounts.push(parseMount(value));
        break;
      case "key":
        keys.push(value);
        break;
      case "file":
        if (text.has("file")) throw new ShellError("guestfish: -f can be given only once");
        text.set("file", value);
        break;
      case "connect":
        text.set(name, value);
        break;
      case "remote":
        if (found.value !== undefined) {
          if (!/^\d+$/.test(found.value))
            throw new ShellError(`guestfish: --remote=${found.value}: the process number is not a number`);
          text.set(name, found.value);
        }
        break;
      case "progress-bars":
        seen.delete("no-progress-bars");
        break;
      case "no-progress-bars":
        seen.delete("progress-bars");
        break;
      case "no-dest-paths":
        if (found.spec.short === "D") warnings.push("guestfish: warning: -D is old, use --no-dest-paths");
        break;
      default:
        break;
    }
  }

  if (pending !== undefined)
    throw new ShellError(`guestfish: --${pending} has to stand before the -a option that it is for`);
  if (seen.has("ro") && seen.has("rw")) throw new ShellError("guestfish: --ro and --rw exclude each other");
  if (seen.has("listen") && seen.has("remote"))
    throw new ShellError("guestfish: --listen and --remote exclude each other");
  if (seen.has("listen") && seen.has("file")) throw new ShellError("guestfish: --listen and --file exclude each other");
  if (seen.has("listen") && words.length > 0)
    throw new ShellError("guestfish: --listen takes no commands on the command line");

  const file = text.get("file");
  const connect = text.get("connect");
  return {
    drives,
    mounts,
    keys,
    words,
    warnings,
    ...(file !== undefined && { file }),
    ...(connect !== undefined && { connect }),
    inspector: seen.has("inspector"),
    readOnly: seen.has("ro") || (!seen.has("rw") && readOnly()),
    network: seen.has("network"),
    autosync: !seen.has("no-sync"),
    verbose: seen.has("verbose"),
    trace: seen.has("trace"),
    pipeError: seen.has("pipe-error"),
    keysFromStdin: seen.has("keys-from-stdin"),
    echoKeys: seen.has("echo-keys"),
    completeGuestPaths: !seen.has("no-dest-paths"),
    live: seen.has("live"),
    ...(seen.has("progress-bars") && { progressBars: true }),
    ...(seen.has("no-progress-bars") && { progressBars: false }),
    ...(seen.has("listen") && { remote: { kind: "listen", csh: seen.has("csh") } as const }),
    ...(seen.has("remote") && { remote: { kind: "send", pid: text.get("remote") } as const }),
  };
}

function preparedDisk(value: string, index: number): DriveOption {
  const equals = value.indexOf("=");
  const [type = "", ...parameters] = value.slice(equals + 1).split(":");
  return { kind: "new", file: equals === -1 ? `test${index}.img` : value.slice(0, equals), type, parameters };
}

function sectorSize(value: string): number {
  const size = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size))
    throw new ShellError(`guestfish: --blocksize=${value}: not a number of bytes`);
  return size;
}
