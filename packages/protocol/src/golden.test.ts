import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";
import { procedureByName } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import {
  chunkMax,
  codecOf,
  decodeChunk,
  encodeChunk,
  encodeErrorReply,
  encodeFlag,
  encodeMessage,
  encodeProgress,
  FrameDecoder,
  readErrorBody,
  readHeader,
  Reader,
} from "./index.ts";
import type { Frame, Header, ProcedureCodec } from "./index.ts";

// What the stock guestfish and the stock daemon said to each other (packages/testkit/src/capture.ts), decoded by us
// and encoded again to the same bytes.

interface GoldenFrame {
  from: "client" | "daemon";
  type: "launch" | "call" | "reply" | "error" | "data" | "end" | "cancel" | "cancel-flag" | "progress";
  procedure?: string;
  bytes?: string;
  zlib?: string;
  repeat?: number;
}

interface Golden {
  client: string;
  daemon: string;
  script: string[];
  frames: GoldenFrame[];
}

const folder = new URL("../src/golden/", import.meta.url);

function read(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Golden;
}

function bytesOf(frame: GoldenFrame): Uint8Array {
  if (frame.zlib !== undefined) return new Uint8Array(inflateSync(Buffer.from(frame.zlib, "base64")));
  return new Uint8Array(Buffer.from(frame.bytes ?? "", "base64"));
}

/** The frame as the decoder gives it, and nothing behind it. */
function decoded(golden: GoldenFrame): Frame {
  const decoder = new FrameDecoder();
  decoder.push(bytesOf(golden));
  const frame = decoder.next();
  assert.ok(frame);
  assert.equal(decoder.buffered, 0);
  return frame;
}

interface Message {
  readonly header: Header;
  readonly reader: Reader;
  readonly codec: ProcedureCodec;
}

function message(golden: GoldenFrame): Message {
  const frame = decoded(golden);
  assert.ok(frame.type === "message");
  const reader = new Reader(frame.bytes);
  const row = procedureByName.get(golden.procedure ?? "") as Procedure;
  const header = readHeader(reader);
  assert.equal(header.procedure, row.proc);
  return { header, reader, codec: codecOf(row) };
}

function callArguments(golden: GoldenFrame): Record<string, unknown> {
  const { header, reader, codec } = message(golden);
  const args = codec.readArguments(reader, header.optionalMask);
  assert.equal(reader.remaining, 0);
  return args;
}

function replyResult(golden: GoldenFrame): unknown {
  const { reader, codec } = message(golden);
  const result = codec.readResult(reader);
  assert.equal(reader.remaining, 0);
  return result;
}

/**
 * What we write behind the arguments that libguestfs 1.48 knows: optional arguments that came later and are not set.
 * A daemon does not look at it.
 */
const behindOldCalls: Readonly<Record<string, number>> = { tar_in: 4 };

function withoutLaterArguments(message: Uint8Array, procedure: string): Uint8Array {
  const cut = behindOldCalls[procedure] ?? 0;
  const bytes = message.slice(0, message.length - cut);
  assert.ok(message.subarray(bytes.length).every((byte) => byte === 0));
  new DataView(bytes.buffer).setUint32(0, bytes.length - 4);
  return bytes;
}

/** Decodes a frame and encodes what came out. */
function again(golden: GoldenFrame): Uint8Array {
  switch (golden.type) {
    case "launch":
      assert.equal(decoded(golden).type, "launch");
      return encodeFlag(0xf5f55ff5);
    case "cancel-flag":
      assert.equal(decoded(golden).type, "cancel");
      return encodeFlag(0xffffeeee);
    case "progress": {
      const frame = decoded(golden);
      assert.ok(frame.type === "progress");
      return encodeProgress(frame.progress);
    }
    case "data":
    case "end":
    case "cancel": {
      const frame = decoded(golden);
      assert.ok(frame.type === "message");
      const chunk = decodeChunk(frame.bytes, chunkMax);
      assert.equal(chunk.type, golden.type);
      return encodeChunk(chunk);
    }
    case "call": {
      const { header, codec } = message(golden);
      const args = callArguments(golden);
      assert.deepEqual([header.direction, header.status], ["call", "ok"]);
      assert.equal(codec.optionalMask(args), header.optionalMask);
      const encoded = encodeMessage(header, (writer) => codec.writeArguments(writer, args));
      return withoutLaterArguments(encoded, golden.procedure ?? "");
    }
    case "reply": {
      const { header, codec } = message(golden);
      assert.deepEqual([header.direction, header.status], ["reply", "ok"]);
      const result = replyResult(golden);
      return encodeMessage(header, (writer) => codec.writeResult(writer, result));
    }
    case "error": {
      const { header, reader } = message(golden);
      const error = readErrorBody(reader);
      assert.equal(reader.remaining, 0);
      return encodeErrorReply(header, error);
    }
  }
}

/** `client call upload`, `client data x2`, ...: what passed, in order, without the launch and the autosync at the end. */
function outline(golden: Golden): string[] {
  return golden.frames
    .filter((frame) => frame.type !== "launch" && frame.procedure !== "internal_autosync")
    .map(({ from, type, procedure }) => [from, type, procedure].filter((word) => word !== undefined).join(" "));
}

const names = readdirSync(folder).map((file) => file.replace(".json", ""));

describe("the stock programs' bytes", () => {
  it("are at hand", () => {
    assert.ok(names.length >= 8, names.join(" "));
  });

  for (const name of names) {
    const golden = read(name);
    it(`${name}: ${golden.frames.length} frames, decoded and encoded again`, () => {
      for (const [at, frame] of golden.frames.entries()) {
        const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
        assert.equal(hex(again(frame)), hex(bytesOf(frame)), `frame ${at}, ${frame.type} ${frame.procedure ?? ""}`);
      }
    });

    it(`${name}: every reply has the procedure and the serial of its call, serials count up`, () => {
      let last: Header | undefined;
      for (const frame of golden.frames) {
        if (frame.type !== "call" && frame.type !== "reply" && frame.type !== "error") continue;
        const { header } = message(frame);
        if (frame.type === "call") {
          if (last) assert.equal(header.serial, last.serial + 1);
          last = header;
          continue;
        }
        assert.deepEqual([header.procedure, header.serial], [last?.procedure, last?.serial]);
        assert.deepEqual([header.progressHint, header.optionalMask], [0, 0n]);
      }
    });

    it(`${name}: comes whole out of one decoder for each side, in reads of any size`, () => {
      for (const from of ["client", "daemon"] as const) {
        const frames = golden.frames.filter((frame) => frame.from === from);
        const stream = Buffer.concat(frames.map(bytesOf));
        for (const read of [1, 7, 4096, stream.length]) {
          const decoder = new FrameDecoder();
          let count = 0;
          for (let at = 0; at < stream.length; at += read) {
            decoder.push(stream.subarray(at, at + read));
            while (decoder.next()) count += 1;
          }
          assert.deepEqual([count, decoder.buffered], [frames.length, 0]);
        }
      }
    });

    it(`${name}: says nothing of the machine it was made on`, () => {
      for (const frame of golden.frames)
        assert.doesNotMatch(Buffer.from(bytesOf(frame)).toString("latin1"), /\/(work|home|root|var\/tmp)\//);
      assert.match(golden.client, /^guestfish 1:1\.48/);
      assert.match(golden.daemon, /^guestfsd 1:1\.48/);
    });
  }
});

describe("the captured calls", () => {
  const { frames } = read("calls");

  function nth(procedure: string, type: "call" | "reply" | "error", place = 0): GoldenFrame {
    const frame = frames.filter((candidate) => candidate.procedure === procedure && candidate.type === type)[place];
    assert.ok(frame, `${procedure} ${type} ${place}`);
    return frame;
  }

  const call = (procedure: string, place = 0): Record<string, unknown> => callArguments(nth(procedure, "call", place));
  const reply = (procedure: string, place = 0): unknown => replyResult(nth(procedure, "reply", place));
  const error = (procedure: string, place = 0): unknown =>
    readErrorBody(message(nth(procedure, "error", place)).reader);
  const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

  it("carry arguments of every kind", () => {
    assert.deepEqual(call("echo_daemon"), { words: ["one", "two", "three four"] });
    assert.deepEqual(call("echo_daemon", 1), { words: [] });
    assert.deepEqual(call("mkdir_mode"), { path: "/d/sub", mode: 0o700 });
    assert.deepEqual(call("internal_write"), { path: "/d/hello", content: bytes("Hello, \xff bytes\n") });
    assert.deepEqual(call("internal_write", 1), { path: "/d/\udcfcmlaut €", content: bytes("x") });
    assert.deepEqual(call("pwrite"), { path: "/d/hello", content: bytes("by\x01tes"), offset: 2 ** 32 });
    assert.deepEqual(call("utimens"), { path: "/d/hello", atsecs: 1_000_000_000, atnsecs: 5, mtsecs: -1, mtnsecs: -2 });
    assert.deepEqual(call("internal_lstatnslist"), { path: "/d", names: ["hello", "missing", "sub"] });
    assert.deepEqual(call("setxattr"), { xattr: "trusted.test", val: "value", vallen: 5, path: "/d" });
    assert.deepEqual(call("aug_defvar"), { name: "none", expr: null });
    assert.deepEqual(call("aug_defvar", 1), { name: "some", expr: "/augeas" });
    assert.deepEqual(call("aug_insert"), { augpath: "/files/one", label: "other", before: true });
    assert.deepEqual(call("part_set_gpt_attributes"), {
      device: "/dev/sda",
      partnum: 1,
      attributes: -(2n ** 63n) + 1n,
    });
    assert.deepEqual(call("part_set_gpt_type"), {
      device: "/dev/sda",
      partnum: 1,
      guid: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    });
  });

  it("carry optional arguments and their mask", () => {
    assert.deepEqual(call("mktemp"), { tmpl: "/d/XXXXXX", suffix: ".txt" });
    assert.deepEqual(call("copy_attributes"), { src: "/d/hello", dest: "/d/sub", mode: true, ownership: true });
    assert.equal(message(nth("copy_attributes", "call")).header.optionalMask, 0b1010n);
    assert.deepEqual(call("copy_file_to_file"), { src: "/d/hello", dest: "/d/copy", srcoffset: 2 ** 32, size: 5 });
    assert.deepEqual(call("glob_expand"), { pattern: "/d/s*", directoryslash: false });
    assert.deepEqual(call("mkfs"), { fstype: "ext2", device: "/dev/sda", blocksize: 1024, label: "name" });
    assert.deepEqual(call("mkfs", 1), { fstype: "no-such-type", device: "/dev/null", features: "one,two", inode: 256 });
    const tar = read("file-out").frames.find((frame) => frame.procedure === "tar_out") as GoldenFrame;
    assert.deepEqual(callArguments(tar), { directory: "/tree", numericowner: true, excludes: ["left*"] });
  });

  it("have results of every kind", () => {
    assert.equal(reply("ping_daemon"), undefined);
    assert.equal(reply("echo_daemon"), "one two three four");
    assert.equal(reply("umask"), 0o22);
    assert.deepEqual([reply("exists"), reply("exists", 1)], [true, false]);
    assert.equal(reply("filesize"), "Hello, \xff bytes\nmore".length);
    assert.deepEqual(reply("pread"), bytes("\0by\x01tes"));
    assert.deepEqual(reply("lgetxattr"), bytes("value"));
    assert.deepEqual(reply("internal_readlinklist"), ["", ""]);
    assert.deepEqual({ ...(reply("mountpoints") as object) }, { none: "/" });
    assert.deepEqual(reply("list_devices"), []);
    assert.deepEqual(reply("aug_defnode"), { i: 1, b: 1 });
    assert.deepEqual(reply("aug_match"), ["/files/other", "/files/one"]);
    assert.deepEqual([reply("internal_feature_available"), reply("internal_feature_available", 1)], [0, 2]);
    assert.deepEqual(reply("getxattrs"), [{ attrname: "trusted.test", attrval: bytes("value") }]);
    const stat = reply("lstatns") as Record<string, number>;
    assert.deepEqual(
      [stat["st_size"], stat["st_uid"], stat["st_atime_sec"], stat["st_atime_nsec"]],
      [2 ** 32 + 6, 1000, 1e9, 5],
    );
    assert.deepEqual(
      (reply("internal_lstatnslist") as Record<string, bigint>[]).map((one) => (one["st_ino"] ?? 0n) > 0n),
      [true, false, true],
    );
    assert.equal(typeof (reply("statvfs") as Record<string, unknown>)["fsid"], "bigint");
    const entries = (reply("retired_readdir") as { name: string; ftyp: string }[]).map(
      ({ name, ftyp }) => `${ftyp} ${name}`,
    );
    assert.deepEqual(entries.toSorted(), ["d .", "d ..", "d sub", "l link", "r \udcfcmlaut €", "r hello"].toSorted());
    assert.ok((reply("inotify_read") as { in_name: string }[]).some((event) => event.in_name === "watched"));
  });

  it("have error replies with and without a name", () => {
    assert.deepEqual(error("rm"), { errno: "ENOENT", message: "/nothing: No such file or directory" });
    assert.deepEqual(error("rmdir"), { errno: "ENOTEMPTY", message: "/d: Directory not empty" });
    const tar = read("file-in").frames.find((frame) => frame.type === "error") as GoldenFrame;
    assert.equal(readErrorBody(message(tar).reader).errno, "");
  });
});

describe("the captured transfers", () => {
  it("send a file in as chunks behind the call, and the reply comes after the end", () => {
    const [head] = [outline(read("file-in")).slice(0, 8)];
    assert.deepEqual(head, [
      "client call upload",
      "client data",
      "client data",
      "client end",
      "daemon reply upload",
      "client call upload",
      "client end",
      "daemon reply upload",
    ]);
    const upload = read("file-in").frames.find((frame) => frame.procedure === "upload") as GoldenFrame;
    assert.equal(message(upload).header.progressHint, 20_000);
  });

  it("send a file out as chunks behind the reply", () => {
    const lines = outline(read("file-out"));
    const from = lines.indexOf("client call download");
    assert.deepEqual(lines.slice(from, from + 8), [
      "client call download",
      "daemon reply download",
      "daemon data",
      "daemon data",
      "daemon end",
      "client call download",
      "daemon reply download",
      "daemon end",
    ]);
    assert.ok(lines.includes("daemon error download"));
  });

  it("stop at a chunk that cancels when the client of an upload wants to", () => {
    assert.deepEqual(outline(read("upload-cancelled-by-client")), [
      "client call upload",
      "client data",
      "client cancel",
      "daemon error upload",
      "client call ping_daemon",
      "daemon reply ping_daemon",
    ]);
  });

  it("stop at a flag when the daemon of an upload wants to, before or behind the end", () => {
    const lines = outline(read("upload-cancelled-by-daemon"));
    const second = lines.lastIndexOf("client call upload");
    const first = lines.slice(0, second).filter((line, at, all) => line !== all[at - 1]);
    assert.ok(first.includes("daemon cancel-flag"));
    assert.deepEqual(
      first.filter((line) => line !== "daemon cancel-flag" && line !== "client data"),
      ["client call upload", "client cancel", "daemon error upload"],
    );
    const rest = lines.slice(second).filter((line) => line !== "client data");
    assert.deepEqual(rest.toSorted(), [
      "client call ping_daemon",
      "client call upload",
      "client end",
      "daemon cancel-flag",
      "daemon error upload",
      "daemon reply ping_daemon",
    ]);
  });

  it("stop at a flag and end with a chunk that cancels when the client of a download wants to", () => {
    const lines = outline(read("download-cancelled-by-client"));
    const from = lines.indexOf("client call download");
    assert.deepEqual(
      lines.slice(from).filter((line) => line !== "daemon data"),
      [
        "client call download",
        "daemon reply download",
        "client cancel-flag",
        "daemon cancel",
        "client call ping_daemon",
        "daemon reply ping_daemon",
      ],
    );
  });

  it("are not stopped by a flag that comes after the end", () => {
    const lines = outline(read("download-cancelled-too-late"));
    const from = lines.indexOf("client call download");
    assert.deepEqual(
      lines.slice(from).filter((line) => line !== "daemon data"),
      [
        "client call download",
        "daemon reply download",
        "daemon end",
        "client cancel-flag",
        "client call ping_daemon",
        "daemon reply ping_daemon",
      ],
    );
  });

  it("end with a chunk that cancels when the daemon of a download can't go on", () => {
    assert.deepEqual(outline(read("download-cancelled-by-daemon")), [
      "client call download",
      "daemon reply download",
      "daemon cancel",
      "client call ping_daemon",
      "daemon reply ping_daemon",
    ]);
  });

  it("have progress before the reply: of known size up to the end, or 0 of 1 and then 1 of 1", () => {
    const seen = new Map<number, [number, number][]>();
    for (const golden of read("progress").frames) {
      if (golden.type !== "progress") continue;
      const frame = decoded(golden);
      assert.ok(frame.type === "progress");
      const { procedure, position, total } = frame.progress;
      seen.set(procedure, [...(seen.get(procedure) ?? []), [position, total]]);
    }
    const [upload, copy] = ["upload", "cp"].map((name) => seen.get(procedureByName.get(name)?.proc ?? -1));
    assert.deepEqual(upload?.at(-1), [20_000, 20_000]);
    assert.deepEqual(copy, [
      [0, 1],
      [1, 1],
    ]);
  });
});
