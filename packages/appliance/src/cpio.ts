/** One member of an archive: a folder when it has neither contents, nor a target, nor a device. */
export interface CpioMember {
  /** Path without a leading slash. Folders come before what is in them. */
  path: string;
  /** Contents of a file. */
  contents?: Uint8Array;
  /** `true`: the file is executable. */
  executable?: boolean;
  /** Where a symbolic link points. */
  target?: string;
  /** Numbers of a character device. */
  device?: { major: number; minor: number };
}

const FILE = 0o100000;
const FOLDER = 0o040000;
const LINK = 0o120000;
const CHARACTER_DEVICE = 0o020000;

const padded = (bytes: number): number => (bytes + 3) & ~3;

function member(
  inode: number,
  path: string,
  mode: number,
  contents: Uint8Array,
  device = { major: 0, minor: 0 },
): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const { major, minor } = device;
  const fields = [inode, mode, 0, 0, 1, 0, contents.length, 0, 0, major, minor, name.length, 0];
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

function modeOf({ contents, executable, target, device }: CpioMember): number {
  if (target !== undefined) return LINK | 0o777;
  if (device !== undefined) return CHARACTER_DEVICE | 0o600;
  if (contents === undefined) return FOLDER | 0o755;
  return FILE | (executable === true ? 0o755 : 0o644);
}

/** An archive in the "new ASCII" format that Linux takes as initial RAM disk (Linux documentation, "initramfs buffer format"). */
export function cpioArchive(members: readonly CpioMember[]): Uint8Array {
  const pieces = members.flatMap((one, index) => {
    const contents = one.contents ?? Buffer.from(one.target ?? "");
    return member(index + 1, one.path, modeOf(one), contents, one.device);
  });
  pieces.push(...member(0, "TRAILER!!!", FILE, new Uint8Array(0)));
  return Buffer.concat(pieces);
}
