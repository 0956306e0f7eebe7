import type { StructMap } from "@guestfs/schema";
import { getXattr, listXattrs } from "./native/xattr.ts";
import type { Follow } from "./native/xattr.ts";
import { ReplyRoom } from "./reply-room.ts";

/**
 * All extended attributes of a file, by name in the order of their bytes.
 * @param room - of the reply that they go into
 * @throws DaemonError when there is not enough of it
 */
export function readXattrs(path: string, follow: Follow, room: ReplyRoom = new ReplyRoom()): StructMap["xattr"][] {
  const found: StructMap["xattr"][] = [];
  for (const name of listXattrs(path, follow).toSorted()) {
    try {
      const attrval = getXattr(path, name, follow);
      room.takeString(name.length);
      room.takeString(attrval.length);
      found.push({ attrname: name, attrval });
    } catch (error) {
      // Gone since it was listed.
      if ((error as NodeJS.ErrnoException).code !== "ENODATA") throw error;
    }
  }
  return found;
}
