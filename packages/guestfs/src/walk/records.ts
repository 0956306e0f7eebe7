import { decodeText, ProtocolError } from "@guestfs/protocol";
import { fileTypes, pathIn } from "./entry.ts";
import type { WalkEntry, WalkStat } from "./entry.ts";

/** Letters of find(1). */
const typeOfLetter: ReadonlyMap<string, number> = new Map([
  ["p", fileTypes.fifo],
  ["c", fileTypes.characterDevice],
  ["d", fileTypes.folder],
  ["b", fileTypes.blockDevice],
  ["f", fileTypes.regular],
  ["l", fileTypes.link],
  ["s", fileTypes.socket],
  ["U", 0],
]);

const time = String.raw`(-?\d{1,15})\.(\d{9})\d* `;
const fieldsPattern = new RegExp(
  String.raw`^(\d{1,20}) (\d{1,20}) ([0-7]{1,4}) ([a-zA-Z]) (\d{1,20}) (\d{1,10}) (\d{1,10}) (\d{1,20}) (\d{1,20}) ${time}${time}${time}`,
);
const devicePattern = /^\d+ \d+ \d+ [bc] /;
/** Shortest that {@link fieldsPattern} can match. */
const fieldsMin = "0 0 0 f 0 0 0 0 0 0.000000000 0.000000000 0.000000000 ".length;
/** Longest that {@link fieldsPattern} can match, and some more. */
const fieldsMax = 300;

/** Where a record stands among all of them. */
interface Place {
  /** its path; compared as text it gives the order: each folder before what is in it, names by their bytes */
  readonly key: string;
  readonly start: number;
  /** the end of its fields and the target */
  readonly middle: number;
  readonly end: number;
}

/** The places of all records, in order. @throws ProtocolError when they are no records */
function sortedPlaces(records: Buffer): Place[] {
  const places: Place[] = [];
  for (let start = 0; start < records.length;) {
    const middle = records.indexOf(0, start);
    const end = middle < 0 ? -1 : records.indexOf(0, middle + 1);
    if (end < 0) throw new ProtocolError("a walk that ends in a record");
    // Here already, as records without fields would be far more than those with them.
    if (middle - start < fieldsMin) throw new ProtocolError("a record of a walk without its fields");
    const key = records.toString("latin1", middle + 1, end);
    if (!isPath(key)) throw new ProtocolError("a record of a walk with a path that is none");
    // No name has a NUL, and nothing is less.
    places.push({ key: key.replaceAll("/", "\0"), start, middle, end });
    start = end + 1;
  }
  return places.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Whether each name in it is one that a file can have. */
function isPath(path: string): boolean {
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path);
}

/** @throws ProtocolError beyond the exact range of a number */
function exact(text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ProtocolError(`the number ${text} in a walk is too large`);
  return value;
}

function statOf(match: RegExpExecArray): WalkStat {
  const letter = match[4] as string;
  const type = typeOfLetter.get(letter);
  if (type === undefined) throw new ProtocolError(`a walk with an unknown type of file, ${letter}`);
  return {
    st_dev: exact(match[1]),
    st_ino: BigInt.asIntN(64, BigInt(match[2] as string)),
    st_mode: type | Number.parseInt(match[3] as string, 8),
    st_nlink: exact(match[5]),
    st_uid: exact(match[6]),
    st_gid: exact(match[7]),
    st_rdev: 0,
    st_size: exact(match[8]),
    st_blocks: exact(match[9]),
    st_atime_sec: exact(match[10]),
    st_atime_nsec: exact(match[11]),
    st_mtime_sec: exact(match[12]),
    st_mtime_nsec: exact(match[13]),
    st_ctime_sec: exact(match[14]),
    st_ctime_nsec: exact(match[15]),
  };
}

/** The records of one call of `extension_walk`. */
export class WalkRecords {
  readonly #folder: string;
  readonly #bytes: Buffer;
  readonly #places: readonly Place[];

  /**
   * @param folder - absolute path where the walk began
   * @throws ProtocolError when they are no records
   */
  constructor(bytes: Uint8Array, folder: string) {
    this.#folder = folder;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#places = sortedPlaces(this.#bytes);
  }

  /** Paths from the top of the device files, whose `st_rdev` no record has. */
  devices(): string[] {
    const found = this.#places.filter(({ start, middle }) => devicePattern.test(this.#fields(start, middle)));
    return found.map(({ middle, end }) => decodeText(this.#bytes.subarray(middle + 1, end)));
  }

  /**
   * What the records say, each folder before what is in it, the names of a folder by their bytes; `st_rdev` is 0.
   * @throws ProtocolError when one of them says nothing clear
   */
  *entries(): Generator<WalkEntry, void, void> {
    for (const { start, middle, end } of this.#places) {
      const match = fieldsPattern.exec(this.#fields(start, middle));
      if (!match) throw new ProtocolError("a record of a walk without its fields");
      yield {
        path: pathIn(this.#folder, decodeText(this.#bytes.subarray(middle + 1, end))),
        stat: statOf(match),
        target: decodeText(this.#bytes.subarray(start + match[0].length, middle)),
      };
    }
  }

  #fields(start: number, middle: number): string {
    return this.#bytes.toString("latin1", start, Math.min(middle, start + fieldsMax));
  }
}
