import { messageMax } from "@guestfs/protocol";
import type { StructMap } from "@guestfs/schema";
import { closeSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { aboutPath } from "../about-path.ts";
import type { Context, HandlersOf } from "../context.ts";
import { checkRootMounted } from "../argument-check.ts";
import { DaemonError, RefusedError } from "../daemon-error.ts";
import type { DaemonState } from "../daemon-state.ts";
import { textUntilNul } from "../guest-text.ts";
import { O_PATH } from "../native/file.ts";
import { addWatch, openInotify, removeWatch } from "../native/inotify.ts";
import { ReplyRoom } from "../reply-room.ts";
import { descriptorPath } from "../sysroot.ts";

const key = Symbol("inotify");
const queueLimit = "/proc/sys/fs/inotify/max_queued_events";
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

/** Sets the machine's limit for as long as it takes to open an inotify, which keeps what it finds. */
function withQueueLength<T>({ guard }: DaemonState, length: number, use: () => T): T {
  if (guard?.readOnly)
    throw new RefusedError(
      "the queue has the length that the machine gives it: this client may change nothing",
      "EROFS",
    );
  const before = readFileSync(queueLimit);
  writeFileSync(queueLimit, `${length}\n`);
  try {
    return use();
  } finally {
    writeFileSync(queueLimit, before);
  }
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
    const fd = maxevents > 0 ? withQueueLength(context.state, maxevents, openInotify) : openInotify();
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
