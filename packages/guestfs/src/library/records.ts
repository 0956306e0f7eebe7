import { decodeText, ProtocolError, Reader, readStruct } from "@guestfs/protocol";
import type { TskDirent, Xattr, YaraDetection } from "@guestfs/schema";
import type { LibraryFunctions } from "./library.ts";

/** Most bytes that are taken for the results of one call. */
export const recordsMax: number = 128 * 1024 * 1024;

/**
 * The structs that follow each other in a download.
 * @throws ProtocolError when it ends in the middle of one
 */
export function structsIn<T>(name: string, content: Uint8Array): T[] {
  const reader = new Reader(content);
  const structs: T[] = [];
  while (reader.remaining > 0) structs.push(readStruct(reader, name) as T);
  return structs;
}

function journalFields(content: Uint8Array): Xattr[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const fields: Xattr[] = [];
  let at = 0;
  while (at < content.length) {
    if (content.length - at < 8) throw new ProtocolError("a journal entry that ends in a length");
    const length = view.getBigUint64(at);
    at += 8;
    if (length > BigInt(content.length - at)) throw new ProtocolError("a journal entry that ends in a field");
    const field = content.subarray(at, at + Number(length));
    at += field.length;
    const equals = field.indexOf("=".charCodeAt(0));
    if (equals < 0) throw new ProtocolError("a field of a journal entry without =");
    fields.push({ attrname: decodeText(field.subarray(0, equals)), attrval: field.slice(equals + 1) });
  }
  return fields;
}

/** Calls whose many results the daemon sends as a file. */
export const recordFunctions: LibraryFunctions<"filesystemWalk" | "findInode" | "journalGet" | "yaraScan"> = {
  filesystemWalk: async (context, device) =>
    structsIn<TskDirent>(
      "tsk_dirent",
      await context.callForContent("internal_filesystem_walk", { device }, recordsMax),
    ),
  findInode: async (context, device, inode) =>
    structsIn<TskDirent>(
      "tsk_dirent",
      // Wide ones stand on the wire as well, whatever the type says.
      await context.callForContent("internal_find_inode", { device, inode: inode as number }, recordsMax),
    ),
  journalGet: async (context) => journalFields(await context.callForContent("internal_journal_get", {}, recordsMax)),
  yaraScan: async (context, path) =>
    structsIn<YaraDetection>(
      "yara_detection",
      await context.callForContent("internal_yara_scan", { path }, recordsMax),
    ),
};
