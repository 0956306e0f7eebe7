import { decodeText } from "@guestfs/protocol";
import type { StructMap } from "@guestfs/schema";
import { constants } from "node:fs";
import type { HandlersOf } from "../context.ts";
import { readDirectory } from "../native/directory.ts";
import { O_DIRECTORY } from "../native/file.ts";
import { typeLetter } from "../readdir.ts";

/** Calls that only clients of older versions send. */
export const retired: HandlersOf<"retired"> = {
  retired_readdir({ dir }, context) {
    const entries: StructMap["dirent"][] = [];
    context.sysroot.withOpen(dir, constants.O_RDONLY | O_DIRECTORY, (fd) =>
      readDirectory(fd, (entry) => {
        const ino = (BigInt(entry.inodeHigh | 0) << 32n) | BigInt(entry.inodeLow);
        entries.push({ ino, ftyp: typeLetter(entry.type), name: decodeText(entry.name) });
      }),
    );
    return entries;
  },
};
