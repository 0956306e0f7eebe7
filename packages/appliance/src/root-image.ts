import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runOwned } from "@guestfs/qemu";
import type { Apt, PackageVersion } from "./apt.ts";
import { erofsImage } from "./erofs-image.ts";
import { mergedFolders, rootFiles, rootFolders, rootLinks } from "./root-files.ts";

// A pipe would hide dpkg-deb's exit status from a POSIX shell.
const UNPACK =
  `dpkg-deb --fsys-tarfile "$1" > "$1.tar" && tar -x -f "$1.tar" --keep-directory-symlink --no-same-owner "$@" && rm "$1" "$1.tar"`.replace(
    '"$@"',
    '-C "$2" "$3"',
  );

/** What {@link buildRootImage} works with. */
export interface RootImageInput {
  apt: Apt;
  packages: readonly PackageVersion[];
  /** tar(1) patterns of what is not unpacked. */
  without: readonly string[];
  /** Folder for the work; left empty of everything but the image. */
  folder: string;
  /** Path of the image to make. */
  image: string;
  onDebug(line: string): void;
  signal?: AbortSignal | undefined;
}

/**
 * Makes the root image from Debian packages: their files, unpacked without running their scripts, and the few files that scripts would
 * have made. Needs no root: the image says that root owns everything.
 *
 * @throws ApplianceError, ProgramFailedError
 */
export async function buildRootImage(input: RootImageInput): Promise<void> {
  const { apt, packages, folder, signal } = input;
  const debs = join(folder, "debs");
  const root = join(folder, "root");
  await mkdir(debs, { mode: 0o700 });
  input.onDebug(`downloading ${packages.length} Debian packages`);
  await apt.download(packages, debs, signal);
  await mkdir(root, { mode: 0o755 });
  for (const name of mergedFolders) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  const names = (await readdir(debs)).filter((name) => name.endsWith(".deb"));
  input.onDebug(`unpacking ${names.length} Debian packages`);
  const excludeFile = join(folder, "exclude");
  await writeFile(excludeFile, `${input.without.join("\n")}\n`);
  await Promise.all(
    [0, 1].map((worker) => unpackAll(names.filter((_, i) => i % 2 === worker).map((name) => join(debs, name)))),
  );
  await writeRootFiles(root);
  await runOwned("ldconfig", ["-r", root], signal === undefined ? {} : { signal });
  await erofsImage(root, input.image, signal);
  await runOwned("chmod", ["-R", "u+rwX", root]);
  await Promise.all([debs, root, excludeFile].map((path) => rm(path, { recursive: true, force: true })));

  async function unpackAll(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const args = ["-c", UNPACK, "sh", path, root, `--exclude-from=${excludeFile}`];
      await runOwned("/bin/sh", args, signal === undefined ? {} : { signal });
    }
  }
}

async function writeRootFiles(root: string): Promise<void> {
  for (const path of rootFolders) await mkdir(join(root, path), { recursive: true });
  for (const [path, text] of Object.entries(rootFiles)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true });
    await writeFile(join(root, path), text, { mode: 0o644 });
  }
  for (const [path, target] of Object.entries(rootLinks)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true, recursive: true });
    await symlink(target, join(root, path));
  }
}
