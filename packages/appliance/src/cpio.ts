/** One member of an archive. */
export interface CpioMember {
  /** Path without a leading slash. Folders come before what is in them. */
  path: string;
  /** Contents of a file; left out for a folder. */
  contents?: Uint8Array;
  /** `true`: the file is executable. */
  executable?: boolean;
}

const FILE = 0o100000;
const FOLDER = 0o040000;

const padded = (bytes: number): number => (bytes + 3) & ~3;

function member(inode: number, path: string, mode: number, contents: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, mode >= FILE ? 1 : 2, 0, contents.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  const headerEnd = header.length + name.length;
  return [
    header,
    name,
    Buffer.alloc(padded(headerEnd) - headerEnd),
    contents,
    Buffer.alloc(padded(contents.length) - contents.length),
  ];
}

/** An archive in the "new ASCII" format that Linux takes as initial RAM disk (Linux documentation, "initramfs buffer format"). */
export function cpioArchive(members: readonly CpioMember[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  members.forEach(({ path, contents, executable }, index) => {
    const mode = contents === undefined ? FOLDER | 0o755 : FILE | (executable === true ? 0o755 : 0o644);
    pieces.push(...member(index + 1, path, mode, contents ?? new Uint8Array(0)));
  });
  pieces.push(...member(0, "TRAILER!!!", FILE, new Uint8Array(0)));
  return Buffer.concat(pieces);
}
