import { decodeText } from "@guestfs/protocol";
import { ReplyRoom } from "./reply-room.ts";

/** Text of guest data, up to the first NUL: nothing behind one can go over the wire in a string. */
export function textUntilNul(data: Uint8Array): string {
  const end = data.indexOf(0);
  return decodeText(end < 0 ? data : data.subarray(0, end));
}

/**
 * The lines of guest data for a reply, each up to its first NUL; a line end at the very end begins no further line.
 * @throws DaemonError when they are more than one message holds
 */
export function linesOf(data: Uint8Array): string[] {
  const lines: string[] = [];
  const room = new ReplyRoom();
  for (let at = 0; at < data.length;) {
    const end = data.indexOf(0x0a, at);
    const line = textUntilNul(data.subarray(at, end < 0 ? data.length : end));
    room.takeString(line.length);
    lines.push(line);
    if (end < 0) break;
    at = end + 1;
  }
  return lines;
}
