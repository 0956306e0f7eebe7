import type { StructMap } from "@guestfs/schema";
import { getXattr, listXattrs } from "./native/xattr.ts";
import type { Follow } from "./native/xattr.ts";

/** All extended attributes of a file, by name in the order of their bytes. */
export function readXattrs(path: string, follow: Follow): StructMap["xattr"][] {
  const found: StructMap["xattr"][] = [];
  for (const name of listXattrs(path, follow).toSorted()) {
    try {
      found.push({ attrname: name, attrval: getXattr(path, name, follow) });
    } catch (error) {
      // Gone since it was listed.
      if ((error as NodeJS.ErrnoException).code !== "ENODATA") throw error;
    }
  }
  return found;
}
