import { messageMax } from "@guestfs/protocol";
import type { StructMap } from "@guestfs/schema";
import { closeSync, readSync, writeFileSync } from "node:fs";
import { aboutPath } from "../about-path.ts";
import type { Context, HandlersOf } from "../context.ts";
import { checkRootMounted } from "../argument-check.ts";
import { DaemonError } from "../daemon-error.ts";
import { textUntilNul } from "../guest-text.ts";
import { O_PATH } from "../native/file.ts";
import { addWatch, openInotify, removeWatch } from "../native/inotify.ts";
import { ReplyRoom } from "../reply-room.ts";
import { descriptorPath } from "../sysroot.ts";

const key = Symbol("inotify");
const readSize = 64 * 1024;
const headSize = 16;

interface Watching {
  readonly fd: number;
  /** read from the kernel, not given to the client yet */
  pending: StructMap["inotify_event"][];
}

function watching(context: Context): Watching {
  const found = context.state.get<Watching>(key);
  if (!found) throw new DaemonError("nothing is watched yet: inotify_init comes first");
  return found;
}

/** Reads what the kernel has queued, up to about the size of one message. */
function fill(state: Watching): void {
  const buffer = Buffer.alloc(readSize);
  let length = state.pending.reduce((sum, event) => sum + event.in_name.length + 20, 0);
  while (length < messageMax / 2) {
    let count: number;
    try {
      count = readSync(state.fd, buffer, 0, readSize, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
      throw error;
    }
    for (let at = 0; at < count;) {
      const nameSize = buffer.readUInt32LE(at + 12);
      const end = at + headSize + nameSize;
      state.pending.push({
        in_wd: buffer.readInt32LE(at),
        in_mask: buffer.readUInt32LE(at + 4),
        in_cookie: buffer.readUInt32LE(at + 8),
        in_name: textUntilNul(buffer.subarray(at + headSize, end)),
      });
      at = end;
    }
    length += count * 2;
  }
}

/** inotify(7) on files of the guest. */
export const inotify: HandlersOf<"inotify"> = {
  inotify_init({ maxevents }, context) {
    checkRootMounted(context.state);
    if (maxevents < 0) throw new DaemonError("maxevents is negative");
    if (maxevents > 0) writeFileSync("/proc/sys/fs/inotify/max_queued_events", `${maxevents}\n`);
    const fd = openInotify();
    context.state.keep(key, { fd, pending: [] } satisfies Watching, () => closeSync(fd));
  },
  inotify_close(_, context) {
    watching(context);
    context.state.drop(key);
  },
  inotify_add_watch({ path, mask }, context) {
    const { fd } = watching(context);
    return context.sysroot.withOpen(path, O_PATH, (watched) => addWatch(fd, descriptorPath(watched), mask >>> 0));
  },
  inotify_rm_watch({ wd }, context) {
    const { fd } = watching(context);
    aboutPath(String(wd), () => removeWatch(fd, wd));
  },
  inotify_read(_, context) {
    const state = watching(context);
    fill(state);
    const events = state.pending;
    state.pending = [];
    return events;
  },
  inotify_files(_, context) {
    const state = watching(context);
    const names = new Set<string>();
    const room = new ReplyRoom();
    for (;;) {
      context.pulse();
      fill(state);
      if (state.pending.length === 0) return [...names].toSorted();
      for (const { in_name: name } of state.pending) {
        if (name === "" || names.has(name)) continue;
        room.takeString(name.length);
        names.add(name);
      }
      state.pending = [];
    }
  },
};
