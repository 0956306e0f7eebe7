import { decodeText } from "@guestfs/protocol";
import type { CallContext } from "../call-context.ts";
import { RemoteError } from "../errors.ts";
import { openSource } from "../transfer/file-source.ts";
import type { LibraryFunctions } from "./library.ts";

/** Content up to this many bytes travels in one message, as libguestfs does it. */
const oneMessageMax = 2 * 1024 * 1024;

function read(context: CallContext, path: string): Promise<Uint8Array> {
  return context.callForContent("download", { remotefilename: path });
}

async function sizeOf(context: CallContext, path: string): Promise<number> {
  try {
    return await context.call("filesize", { file: path });
  } catch (error) {
    if (error instanceof RemoteError && error.errno === "ENOENT") return 0;
    throw error;
  }
}

/** The content of small files as values. */
export const contentFunctions: LibraryFunctions<"cat" | "readFile" | "readLines" | "write" | "writeAppend"> = {
  cat: async (context, path) => decodeText(await read(context, path)),
  readFile: read,
  async readLines(context, path) {
    const lines = decodeText(await read(context, path)).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  },
  async write(context, path, content) {
    if (content.length <= oneMessageMax) await context.call("internal_write", { path, content });
    else await context.call("upload", { remotefilename: path }, { source: await openSource(content) });
  },
  async writeAppend(context, path, content) {
    if (content.length <= oneMessageMax) {
      await context.call("internal_write_append", { path, content });
      return;
    }
    const offset = await sizeOf(context, path);
    await context.call("upload_offset", { remotefilename: path, offset }, { source: await openSource(content) });
  },
};
