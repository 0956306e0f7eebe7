import { readdirSync, realpathSync, statSync, writeSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { readOnlyByDefault } from "guestfs/command-line";
import { fuseHelp, parseFuseOptions } from "guestfs/internal";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import type { ToolArguments, ToolOption } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { OpenMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { ToolError, UsageError } from "../tool-error.ts";
import { detach, isBackground, startBackground } from "./background.ts";
import { Farewell, mountSource } from "./farewell.ts";

const options: readonly ToolOption[] = [
  { name: "dir-cache-timeout", long: "dir-cache-timeout", argument: "required" },
  { name: "fd", long: "fd", argument: "required" },
  { name: "fuse-help", long: "fuse-help" },
  { name: "inspector", short: "i", long: "inspector" },
  { name: "no-fork", long: "no-fork" },
  { name: "no-sync", short: "n", long: "no-sync" },
  { name: "option", short: "o", long: "option", argument: "required" },
  { name: "pid-file", long: "pid-file", argument: "required" },
  { name: "ro", short: "r", long: "ro" },
  { name: "rw", short: "w", long: "rw" },
  { name: "selinux", long: "selinux" },
];

interface Plan {
  readonly folder: string;
  readonly readOnly: boolean;
  /** Options of the mount, separated by commas. */
  readonly options: string;
  readonly timeout: number | undefined;
  readonly pidFile: string | undefined;
  /** Descriptor that gets a byte once the folder is mounted. */
  readonly fd: number | undefined;
}

/** @returns whether they ask for a folder in which nothing is changed @throws UsageError */
function isReadOnly(options: string): boolean {
  try {
    return parseFuseOptions(options).readOnly;
  } catch (error) {
    throw new UsageError(`-o ${(error as Error).message} (--fuse-help)`, { cause: error });
  }
}

function planOf({ machine, values, words }: ToolArguments): Plan {
  const [folder, ...more] = words;
  if (folder === undefined || more.length > 0) throw new UsageError("it takes one folder of this host to mount on");
  if (values.has("ro") && values.has("rw")) throw new UsageError("--ro and --rw exclude each other");
  if (machine.mounts.length === 0 && !values.has("inspector") && !machine.live)
    throw new UsageError("what is to be mounted? -i finds it out, -m names it");
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) throw new ToolError(`${folder}: is no folder of this host`);
  const given = (values.get("option") ?? []).join(",");
  const timeout = values.get("dir-cache-timeout")?.at(-1);
  if (timeout !== undefined && !/^\d{1,9}$/.test(timeout))
    throw new UsageError(`--dir-cache-timeout ${timeout}: no number of seconds`);
  const fd = values.get("fd")?.at(-1);
  if (fd !== undefined && !/^\d{1,9}$/.test(fd)) throw new UsageError(`--fd ${fd}: no number of a descriptor`);
  const onlyRead = isReadOnly(given);
  if (!given.split(",").includes("nonempty") && readdirSync(folder).length > 0)
    throw new ToolError(`${folder}: is not empty, and what it has would be hidden: -o nonempty allows it`);
  return {
    folder: realpathSync(folder),
    readOnly: onlyRead || values.has("ro") || (!values.has("rw") && readOnlyByDefault()),
    options: `${given},fsname=${mountSource()},subtype=guestmount`,
    timeout: timeout === undefined ? undefined : Number(timeout),
    pidFile: values.get("pid-file")?.at(-1),
    fd: fd === undefined ? undefined : Number(fd),
  };
}

/** Mounts, serves until somebody unmounts, and comes back when nothing of it is left. */
async function serve({ g, signal, stay }: OpenMachine, plan: Plan): Promise<void> {
  const { folder, readOnly, options: mountOptions, timeout, pidFile, fd } = plan;
  const more = timeout === undefined ? {} : { cachetimeout: timeout };
  await g.mountLocal(folder, { readonly: readOnly, options: mountOptions, ...more });
  const served = g.mountLocalRun({ signal });
  try {
    if (pidFile !== undefined) await writeFile(pidFile, `${process.pid}\n`);
    if (isBackground()) {
      stay();
      detach();
    } else if (fd !== undefined) writeSync(fd, "\n");
  } finally {
    await served;
    if (pidFile !== undefined) await rm(pidFile, { force: true });
  }
}

export const tool: Tool = {
  name: "guestmount",
  help: `guestmount: the files of a machine, off or running, in a folder of this host

usage: guestmount (-a IMAGE | -d NAME) (-i | -m DEV[:MNT]) [--ro] FOLDER
       guestmount --live -d NAME [--ro] FOLDER

It goes on in the background until guestunmount FOLDER, which comes back when everything is on the disks and closed.

  -i, --inspector         find the operating system and mount its file systems
  -r, --ro                nothing is changed
  -w, --rw                changes go to the machine (default, unless libguestfs-tools.conf says otherwise)
  -o OPTION[,OPTION]      options of the mount; --fuse-help lists them; nonempty allows a folder that is not empty
      --dir-cache-timeout SECONDS
                          how long what is known of a file may be believed (default 60, live 1)
      --fd NUMBER         write a byte to this descriptor once the folder is mounted
      --pid-file FILE     write the process number there once the folder is mounted
      --no-fork           stay in the foreground
  -n, --no-sync           do not flush at the end

${machineHelp}`,
  async run(args) {
    const given = readToolArguments(args, options);
    if (given.values.has("fuse-help")) {
      process.stdout.write(fuseHelp);
      return 0;
    }
    const plan = planOf(given);
    if (!given.values.has("no-fork") && !isBackground()) {
      const status = await startBackground();
      // The process that stays does not have it.
      if (status === 0 && plan.fd !== undefined) writeSync(plan.fd, "\n");
      return status;
    }
    const farewell = new Farewell();
    await farewell.open().catch((error: unknown) => {
      const warning = `guestunmount will not wait for the end of this: ${(error as Error).message}`;
      process.stderr.write(`guestmount: ${warning}\n`);
    });
    const open = { program: "guestmount", readOnly: plan.readOnly, sync: !given.values.has("no-sync") };
    try {
      await withMachine(given.machine, open, (machine) => serve(machine, plan));
      await farewell.say("");
      return 0;
    } catch (error) {
      await farewell.say((error as Error).message);
      throw error;
    }
  },
};
