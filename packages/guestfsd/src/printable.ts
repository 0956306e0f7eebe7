import { blocksOf } from "./content.ts";
import { ReplyRoom } from "./reply-room.ts";

/** How characters are stored: 7 or 8 bits, or 16 or 32 in one or the other order of bytes, by the letters of strings(1). */
export type CharacterEncoding = "s" | "S" | "b" | "l" | "B" | "L";

const widths: Readonly<Record<CharacterEncoding, number>> = { s: 1, S: 1, b: 2, l: 2, B: 4, L: 4 };
const shortest = 4;

/** Whether a letter names an encoding. */
export function isCharacterEncoding(letter: string): letter is CharacterEncoding {
  return Object.hasOwn(widths, letter);
}

function codeAt(data: Buffer, at: number, encoding: CharacterEncoding): number {
  switch (encoding) {
    case "s":
    case "S":
      return data[at] as number;
    case "b":
      return data.readUInt16BE(at);
    case "l":
      return data.readUInt16LE(at);
    case "B":
      return data.readUInt32BE(at);
    case "L":
      return data.readUInt32LE(at);
  }
}

/** The runs of four and more printable characters in what a descriptor holds, as strings(1) finds them. */
export function printableStrings(fd: number, encoding: CharacterEncoding, pulse: () => void): Buffer[] {
  const width = widths[encoding];
  const highest = encoding === "S" ? 0xff : 0x7e;
  const isPrintable = (code: number): boolean =>
    code === 9 || (code >= 0x20 && code <= highest && code !== 0x7f && (code < 0x7f || code >= 0x80));
  const found: Buffer[] = [];
  const room = new ReplyRoom();
  let run: number[] = [];
  const endRun = (): void => {
    if (run.length >= shortest) found.push(Buffer.from(run));
    run = [];
  };
  let held: Buffer = Buffer.alloc(0);
  for (const block of blocksOf(fd, pulse, 64 * 1024)) {
    const data = held.length > 0 ? Buffer.concat([held, block]) : block;
    let at = 0;
    while (at + width <= data.length) {
      const code = codeAt(data, at, encoding);
      if (isPrintable(code)) {
        run.push(code);
        if (run.length === shortest) room.takeString(shortest);
        else if (run.length > shortest) room.take(1);
        at += width;
      } else {
        endRun();
        // Wide characters may begin at any byte.
        at += 1;
      }
    }
    held = Buffer.from(data.subarray(at));
  }
  endRun();
  return found;
}
