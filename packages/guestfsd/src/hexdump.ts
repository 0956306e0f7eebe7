import { blocksOf, ReplyBytes } from "./content.ts";

const lineSize = 16;
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function offsetText(offset: number): string {
  return offset.toString(16).padStart(8, "0");
}

function dumpLine(offset: number, data: Uint8Array): string {
  let [left, right, text] = ["", "", ""];
  for (let i = 0; i < lineSize; i++) {
    const byte = data[i];
    const shown = byte === undefined ? "   " : `${hex[byte]} `;
    if (i < 8) left += shown;
    else right += shown;
    if (byte !== undefined) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  }
  return `${offsetText(offset)}  ${left} ${right} |${text}|\n`;
}

/** What a descriptor holds, as `hexdump -C` of hexdump(1) shows it: a `*` stands for lines equal to the one before. */
export function hexdump(fd: number, pulse: () => void): Buffer {
  const output = new ReplyBytes();
  let offset = 0;
  let previous: Buffer | undefined;
  let starred = false;
  let held: Buffer = Buffer.alloc(0);
  const dump = (data: Buffer, last: boolean): number => {
    let at = 0;
    let lines = "";
    const end = last ? data.length : data.length - lineSize + 1;
    for (; at < end; at += lineSize) {
      const line = data.subarray(at, at + lineSize);
      if (line.length === lineSize && previous?.equals(line)) {
        if (!starred) lines += "*\n";
        starred = true;
      } else {
        lines += dumpLine(offset, line);
        starred = false;
        previous = Buffer.from(line);
      }
      offset += line.length;
    }
    output.add(Buffer.from(lines, "latin1"));
    return Math.min(at, data.length);
  };
  for (const block of blocksOf(fd, pulse, 64 * 1024)) {
    const data = held.length > 0 ? Buffer.concat([held, block]) : block;
    held = Buffer.from(data.subarray(dump(data, false)));
  }
  dump(held, true);
  if (offset > 0) output.add(Buffer.from(`${offsetText(offset)}\n`));
  return output.bytes();
}
