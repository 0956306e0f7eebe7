import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { minimalHive } from "@guestfs/testkit";
import { Guestfs } from "guestfs";

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const lgpl = "/usr/share/common-licenses/LGPL-2.1";
const lgplDigest = "4fbd65380cdd255951079008b364516c";

/** A file of upstream's tree that the test needs and nobody gave. */
export class MissingFileError extends Error {}

/** The files and disks that the tests work on. */
export class Fixture {
  readonly #folder = mkdtempSync(join(tmpdir(), "guestfs-conformance-"));
  readonly #given: string | undefined;

  /** @param given - folder with files of upstream's tree, by their last names */
  constructor(given: string | undefined) {
    this.#given = given;
    writeFileSync(join(this.#folder, "hello.b64"), Buffer.from("hello\n").toString("base64"));
    writeFileSync(join(this.#folder, "hello"), "hello\n");
    const compressions = { tar: [], "tar.gz": ["-z"], "tar.xz": ["-J"] };
    for (const [ending, flags] of Object.entries(compressions))
      execFileSync("tar", ["-C", this.#folder, ...flags, "-cf", join(this.#folder, `helloworld.${ending}`), "hello"]);
    writeFileSync(join(this.#folder, "minimal"), minimalHive());
    const tree = this.#isoTree;
    mkdirSync(join(tree, "directory"), { recursive: true });
    const characters = { newlines: "\n", spaces: " ", zeroes: "\0" };
    for (const [name, character] of Object.entries(characters))
      writeFileSync(join(tree, `100kall${name}`), character.repeat(100 * 1024));
    writeFileSync(join(tree, "empty"), "");
    for (const name of ["helloworld.tar", "helloworld.tar.gz", "helloworld.tar.xz"])
      copyFileSync(join(this.#folder, name), join(tree, name));
    if (given) cpSync(given, tree, { recursive: true });
    execFileSync("genisoimage", ["-quiet", "-V", "ISOIMAGE", "-r", "-o", this.isoPath, tree]);
  }

  get #isoTree(): string {
    return join(this.#folder, "iso");
  }

  /** Whether a path is one of the ISO image. */
  isOnIso(path: string): boolean {
    return lstatSync(join(this.#isoTree, path), { throwIfNoEntry: false }) !== undefined;
  }

  /** An ISO 9660 image with the volume name ISOIMAGE. */
  get isoPath(): string {
    return join(this.#folder, "test.iso");
  }

  /** The file of this machine that a test writes: one of the fixture's own folder, or no file at all. */
  outputFile(name: string): string {
    return name === "/dev/null" ? name : join(this.#folder, basename(name));
  }

  /** The file of this machine that a test means. Temporary names come out in the fixture's own folder. */
  hostFile(name: string): string {
    if (name.endsWith(".tmp")) return join(this.#folder, basename(name));
    for (const folder of [this.#given, this.#folder]) {
      const path = folder && join(folder, basename(name));
      if (path && existsSync(path)) return path;
    }
    if (basename(name) === "COPYING.LIB" && existsSync(lgpl)) {
      const digest = createHash("md5").update(readFileSync(lgpl)).digest("hex");
      if (digest === lgplDigest) return lgpl;
    }
    throw new MissingFileError(`needs upstream's file ${basename(name)} (give its folder with --files DIR)`);
  }

  /** A handle with the four drives, launched, and the scratch file system made. */
  async launch(): Promise<Guestfs> {
    const g = new Guestfs();
    await g.addDriveScratch(2 * GiB);
    await g.addDriveScratch(2 * GiB);
    await g.addDriveScratch(10 * MiB);
    await g.addDriveRo(this.isoPath);
    await g.launch();
    await g.partDisk("/dev/sdb", "mbr");
    await g.mkfs("ext2", "/dev/sdb1");
    return g;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function empty(g: Guestfs): Promise<void> {
  await g.blockdevSetrw("/dev/sda");
  await g.umountAll();
  await g.lvmRemoveAll();
}

const startStates: Readonly<Record<string, (g: Guestfs) => Promise<void>>> = {
  InitNone: empty,
  InitEmpty: empty,
  async InitISOFS(g) {
    await empty(g);
    await g.mountRo("/dev/sdd", "/");
  },
  async InitPartition(g) {
    await empty(g);
    await g.partDisk("/dev/sda", "mbr");
  },
  async InitGPT(g) {
    await empty(g);
    await g.partDisk("/dev/sda", "gpt");
  },
  async InitBasicFS(g) {
    await empty(g);
    await g.partDisk("/dev/sda", "mbr");
    await g.mkfs("ext2", "/dev/sda1");
    await g.mount("/dev/sda1", "/");
  },
  async InitBasicFSonLVM(g) {
    await empty(g);
    await g.partDisk("/dev/sda", "mbr");
    await g.pvcreate("/dev/sda1");
    await g.vgcreate("VG", ["/dev/sda1"]);
    await g.lvcreate("LV", "VG", 8);
    await g.mkfs("ext2", "/dev/VG/LV");
    await g.mount("/dev/VG/LV", "/");
  },
  async InitScratchFS(g) {
    await empty(g);
    await g.mount("/dev/sdb1", "/");
  },
};

/** Brings the drives into the state that a test starts from. */
export async function prepare(g: Guestfs, state: string): Promise<void> {
  const start = startStates[state];
  if (!start) throw new TypeError(`no start state ${state}`);
  await start(g);
}
