import { structByName } from "@guestfs/schema";
import type { StructMap } from "@guestfs/schema";
import { decodeText } from "@guestfs/protocol";
import { constants, readlinkSync } from "node:fs";
import { writeAll } from "../content.ts";
import type { Context, HandlersOf, OutputContext } from "../context.ts";
import { ConversationEndedError, DaemonError } from "../daemon-error.ts";
import { DeviceNames, isBlockDevice, parseMountable } from "../device.ts";
import { groupIsAvailable, groupIsKnown } from "../groups.ts";
import { readDirectory } from "../native/directory.ts";
import { O_DIRECTORY, O_PATH } from "../native/file.ts";
import { statName } from "../native/stat.ts";
import { direntMax, writeDirent } from "../readdir.ts";
import { ReplyRoom } from "../reply-room.ts";
import { fsPath, descriptorPath } from "../sysroot.ts";
import { unmountAll } from "../unmount.ts";
import { readXattrs } from "../xattr-list.ts";
import { syncDisks } from "./daemon.ts";
import { uploadOutside } from "./debug.ts";

const write = constants.O_WRONLY | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK;
const mountableDevice = 0;
const mountableBtrfsVolume = 1;
const direntBuffer = 64 * 1024;

/** Names after which to look out for the client: most calls have fewer, and are to be quick. */
const lookPeriod = 1024;

const statFields = structByName.get("statns")?.fields ?? [];
/** Bytes of a `statns` in a reply: its fields are all of 64 bits. */
const statSize = 8 * statFields.length;
/** Bytes of an `xattr` without a name and a value. */
const headerSize = 8;

/** What `lstatnslist` gives for a name that can't be looked at. */
const noStat = Object.fromEntries(
  statFields.map(({ name }) => [name, name === "st_ino" ? -1n : 0]),
) as unknown as StructMap["statns"];

/**
 * Does something for each name in a folder; `instead` stands where it can't be done.
 * @throws DaemonError that `use` throws: the reply is full
 */
function eachName<T>(
  context: Context,
  path: string,
  names: readonly string[],
  use: (folder: number, name: string) => T,
  instead: T,
): T[] {
  return context.sysroot.withOpen(path, O_PATH | O_DIRECTORY, (folder) =>
    names.map((name, index) => {
      if (index % lookPeriod === lookPeriod - 1) context.pulse();
      try {
        return use(folder, name);
      } catch (error) {
        if (error instanceof DaemonError) throw error;
        return instead;
      }
    }),
  );
}

/** For each name a header, whose value tells how many attributes follow it: digits and a NUL, nothing when they can't be read. */
function xattrRuns(context: Context, path: string, names: readonly string[]): StructMap["xattr"][] {
  const room = new ReplyRoom();
  room.take(names.length * headerSize);
  const read = (folder: number, name: string): StructMap["xattr"][] => {
    const list = readXattrs(`${descriptorPath(folder)}/${name}`, "nofollow", room);
    return [{ attrname: "", attrval: Buffer.from(`${list.length}\0`) }, ...list];
  };
  return eachName(context, path, names, read, [{ attrname: "", attrval: new Uint8Array(0) }]).flat();
}

function sendDirents(context: OutputContext, path: string): void {
  const buffer = Buffer.allocUnsafe(direntBuffer);
  let length = 0;
  const flush = (): void => {
    if (length > 0) context.output.write(buffer.subarray(0, length));
    length = 0;
  };
  context.sysroot.withOpen(path, constants.O_RDONLY | O_DIRECTORY, (fd) =>
    readDirectory(fd, (entry) => {
      if (length + direntMax > buffer.length) flush();
      length = writeDirent(buffer, length, entry);
    }),
  );
  flush();
}

type Elsewhere =
  | "internal_filesystem_walk"
  | "internal_find_inode"
  | "internal_journal_get"
  | "internal_list_rpm_applications"
  | "internal_yara_scan";

/** Calls that the library composes others of. Those of other topics (journal, RPM, Sleuth Kit, YARA) stand there. */
export const internal: Omit<HandlersOf<"internal">, Elsewhere> = {
  internal_autosync(_, context) {
    if (!context.state.options.live) unmountAll(context);
    syncDisks(context);
  },
  internal_feature_available({ group }) {
    if (!groupIsKnown(group)) return 2;
    return groupIsAvailable(group) ? 0 : 1;
  },
  internal_lstatnslist({ path, names }, context) {
    new ReplyRoom().take(names.length * statSize);
    return eachName(context, path, names, statName, noStat);
  },
  internal_lxattrlist: ({ path, names }, context) => xattrRuns(context, path, names),
  internal_parse_mountable({ mountable }, context) {
    const { device, subvolume } = parseMountable(mountable, isBlockDevice);
    return {
      im_type: subvolume === undefined ? mountableDevice : mountableBtrfsVolume,
      im_device: new DeviceNames(context.state.options.appliance).toClient(device),
      im_volume: subvolume ?? "",
    };
  },
  internal_readdir: ({ dir }, context) => sendDirents(context, dir),
  internal_readlinklist({ path, names }, context) {
    const room = new ReplyRoom();
    const read = (folder: number, name: string): string => {
      const target = readlinkSync(fsPath(`${descriptorPath(folder)}/${name}`), { encoding: "buffer" });
      room.takeString(target.length);
      return decodeText(target);
    };
    return eachName(context, path, names, read, "");
  },
  internal_rhbz914931({ count }, context) {
    let received = 0;
    while (received < count) {
      const data = context.input.next();
      if (!data) throw new DaemonError("the file ended before its count", "EINVAL");
      received += data.length;
    }
    throw new ConversationEndedError("ended in the middle of an upload, as asked");
  },
  internal_upload: ({ tmpname, mode }, context) => uploadOutside(context, tmpname, mode),
  internal_write({ path, content }, context) {
    context.sysroot.withOpen(path, write | constants.O_TRUNC, (fd) => writeAll(fd, content), 0o666);
  },
  internal_write_append({ path, content }, context) {
    context.sysroot.withOpen(path, write | constants.O_APPEND, (fd) => writeAll(fd, content), 0o666);
  },
};
