import { closeSync, constants, fstatSync, readSync } from "node:fs";
import type { Stats } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { Hive, hiveFlags } from "../native/hivex.ts";
import { errorText } from "../native/system-error.ts";
import type { Sysroot } from "../sysroot.ts";
import { descriptorPath } from "../sysroot.ts";

const key = Symbol("hivex");
const hiveMagic = "regf";
/** Bytes of the largest hive: one that is written to is in memory as a whole. */
const hiveMax = 512 * 1024 * 1024;

/** libhivex opens the file again, and would wait for the other end of a pipe. */
function checkRegular(fd: number, filename: string): Stats {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new DaemonError(`${filename}: not a regular file`, "EINVAL");
  return stat;
}

/** libhivex reads all of the file into memory, if it is to be written, before it looks at its header. */
function checkHive(fd: number, filename: string): void {
  const { size } = checkRegular(fd, filename);
  if (size > hiveMax) throw new DaemonError(`${filename}: larger than the ${hiveMax} bytes of a hive`, "EFBIG");
  const head = Buffer.alloc(hiveMagic.length);
  readSync(fd, head, 0, head.length, 0);
  if (head.toString("latin1") !== hiveMagic)
    throw new DaemonError(`${filename}: not a hive of the Windows registry`, "ENOTSUP");
}

/** Opens a hive file of the guest. */
export function openHive(sysroot: Sysroot, filename: string, flags = 0): Hive {
  const write = (flags & hiveFlags.write) !== 0;
  const fd = sysroot.open(
    filename,
    (write ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NONBLOCK | constants.O_NOCTTY,
  );
  try {
    checkHive(fd, filename);
    // The name leads to the same file as long as the descriptor is open: also when the hive is written back.
    return new Hive(descriptorPath(fd), flags, () => closeSync(fd));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function opened(context: Context): Hive {
  const hive = context.state.get<Hive>(key);
  if (!hive) throw new DaemonError("you must call 'hivex-open' first to initialize the hivex handle");
  return hive;
}

function checkHandle(handle: number): number {
  if (!Number.isSafeInteger(handle) || handle < 0)
    throw new DaemonError(`${handle}: not the number of a node or value`, "EINVAL");
  return handle;
}

/** Hives of the Windows registry. */
export const hivex: HandlersOf<"hivex"> = {
  hivex_open({ filename, verbose, debug, write, unsafe }, context) {
    const options = { verbose, debug, write, unsafe };
    const names = ["verbose", "debug", "write", "unsafe"] as const;
    const flags = names.reduce((sum, name) => (options[name] ? sum | hiveFlags[name] : sum), 0);
    const hive = openHive(context.sysroot, filename, flags);
    context.state.keep(key, hive, () => hive.close());
  },
  hivex_close(_, context) {
    opened(context);
    context.state.drop(key);
  },
  hivex_commit({ filename }, context) {
    const hive = opened(context);
    if (filename === null) {
      hive.commit(null);
      return;
    }
    if (!filename.startsWith("/")) throw new DaemonError(`${filename}: path must start with a / character`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
    try {
      const commit = (fd: number): void => {
        checkRegular(fd, filename);
        hive.commit(descriptorPath(fd));
      };
      context.sysroot.withOpen(filename, flags, commit, 0o666);
    } catch (error) {
      if (error instanceof DaemonError) throw error;
      const { code = "" } = error as NodeJS.ErrnoException;
      throw new DaemonError(`${filename}: ${errorText(code)}`, code, { cause: error });
    }
  },

  hivex_root: (_, context) => opened(context).root(),
  hivex_node_name: ({ nodeh }, context) => opened(context).nodeName(checkHandle(nodeh)),
  hivex_node_children: ({ nodeh }, context) =>
    opened(context)
      .children(checkHandle(nodeh))
      .map((child) => ({ hivex_node_h: child })),
  hivex_node_get_child: ({ nodeh, name }, context) => opened(context).child(checkHandle(nodeh), name),
  hivex_node_parent: ({ nodeh }, context) => opened(context).parent(checkHandle(nodeh)),
  hivex_node_values: ({ nodeh }, context) =>
    opened(context)
      .values(checkHandle(nodeh))
      .map((value) => ({ hivex_value_h: value })),
  hivex_node_get_value: ({ nodeh, key: name }, context) => opened(context).value(checkHandle(nodeh), name),
  hivex_value_key: ({ valueh }, context) => opened(context).valueKey(checkHandle(valueh)),
  hivex_value_type: ({ valueh }, context) => opened(context).valueType(checkHandle(valueh)),
  hivex_value_value: ({ valueh }, context) => opened(context).valueBytes(checkHandle(valueh)),
  hivex_value_string: ({ valueh }, context) => opened(context).valueText(checkHandle(valueh)),
  hivex_value_utf8: ({ valueh }, context) => opened(context).valueText(checkHandle(valueh)),

  hivex_node_add_child: ({ parent, name }, context) => opened(context).addChild(checkHandle(parent), name),
  hivex_node_delete_child({ nodeh }, context) {
    opened(context).deleteNode(checkHandle(nodeh));
  },
  hivex_node_set_value({ nodeh, key: name, t, val }, context) {
    opened(context).setValue(checkHandle(nodeh), name, t, val);
  },
};
