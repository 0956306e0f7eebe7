import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { controlFile, debianPackageName, neededGlibc } from "./control-files.ts";

/** How {@link buildDebianPackage} works. */
export interface DebianPackageOptions {
  /** Folder for the package; made when missing. */
  folder: string;
  /** `xz` (default) for a small file, `none` for one that is made and unpacked at once. */
  compression?: "xz" | "none";
  /** Folder of the bundled daemon. Default: the one that belongs to this package. */
  bundle?: string;
  /** Node to put in. Default: the one that runs this program. */
  node?: string;
}

const packageFolder = fileURLToPath(new URL("../..", import.meta.url));
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
// Everything that every Debian has, or that the package depends on.
const guestLibraries = /^(ld-linux|libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)[-.]/;

/** The static files of `debian/`: where they go, and their modes. */
const staticFiles: readonly [source: string, target: string, mode: number][] = [
  ["guestfsd", "usr/sbin/guestfsd", 0o755],
  ["guestfsd-live@.service", "lib/systemd/system/guestfsd-live@.service", 0o644],
  ["90-guestfsd-live.rules", "lib/udev/rules.d/90-guestfsd-live.rules", 0o644],
  ["policy.json", "etc/guestfsd/policy.json", 0o644],
  ["README.md", "usr/share/doc/guestfsd-live/README.md", 0o644],
];

/**
 * Makes `guestfsd-live_VERSION_ARCHITECTURE.deb`: the daemon, the Node that runs it, a systemd unit that udev starts
 * with the port, and the policy as a conffile (dpkg keeps an administrator's changes). Needs dpkg-deb(1), no root and
 * no network. The same input gives the same bytes with `SOURCE_DATE_EPOCH` set, or the same bundle.
 * @returns path of the package
 * @throws Error when the bundle is missing, when Node needs libraries that a guest may lack, or with dpkg-deb's words
 */
export function buildDebianPackage(options: DebianPackageOptions): string {
  const bundle = options.bundle ?? join(packageFolder, "dist/bundle");
  const node = realpathSync(options.node ?? process.execPath);
  const architecture = architectures[process.arch];
  if (architecture === undefined) throw new Error(`no Debian package can be made for ${process.arch}`);
  const stamp = statSync(join(bundle, "guestfsd.cjs"), { throwIfNoEntry: false });
  if (stamp === undefined) throw new Error(`${bundle} holds no daemon: run npm run build`);
  refuseLibraries(node);
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  const target = join(options.folder, `${debianPackageName}_${version}_${architecture}.deb`);
  const epoch = process.env.SOURCE_DATE_EPOCH ?? String(Math.trunc(stamp.mtimeMs / 1000));
  mkdirSync(options.folder, { recursive: true });
  const tree = mkdtempSync(join(tmpdir(), "guestfsd-deb-"));
  try {
    chmodSync(tree, 0o755);
    fillTree(tree, bundle, node);
    const files = filesBelow(tree);
    const control = join(tree, "DEBIAN");
    mkdirSync(control, { mode: 0o755 });
    const binaries = files.filter((path) => path === "usr/lib/guestfsd/node" || path.endsWith(".node"));
    const installedSize = Math.ceil(files.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0) / 1024);
    const glibc = neededGlibc(binaries.map((path) => readFileSync(join(tree, path))));
    writeFileSync(join(control, "control"), controlFile({ version, architecture, installedSize, glibc }));
    writeFileSync(join(control, "conffiles"), "/etc/guestfsd/policy.json\n");
    writeFileSync(join(control, "md5sums"), md5sums(tree, files));
    for (const script of ["postinst", "prerm", "postrm"]) place(join("debian", script), join(control, script), 0o755);
    for (const path of [...readdirSync(tree, { recursive: true, encoding: "utf8" }), "."])
      lutimesSync(join(tree, path), Number(epoch), Number(epoch));
    const how = options.compression === "none" ? ["-Znone"] : ["-Zxz", "-z6"];
    const made = spawnSync("dpkg-deb", ["--root-owner-group", ...how, "--build", tree, target], {
      encoding: "utf8",
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
    });
    if (made.error) throw new Error(`dpkg-deb: ${made.error.message}`, { cause: made.error });
    if (made.status !== 0) throw new Error(`dpkg-deb failed: ${made.stderr.trim()}`);
    return target;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function place(source: string, target: string, mode: number): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  cpSync(join(packageFolder, source), target);
  chmodSync(target, mode);
}

function fillTree(tree: string, bundle: string, node: string): void {
  const programs = join(tree, "usr/lib/guestfsd");
  mkdirSync(dirname(programs), { recursive: true });
  cpSync(bundle, programs, { recursive: true, dereference: true });
  cpSync(node, join(programs, "node"));
  for (const [source, target, mode] of staticFiles) place(join("debian", source), join(tree, target), mode);
  const notice = join(tree, "usr/share/doc/guestfsd-live/copyright");
  writeFileSync(notice, copyright());
  for (const path of readdirSync(tree, { recursive: true, encoding: "utf8" })) {
    const { mode } = statSync(join(tree, path));
    const executable = (mode & 0o100) !== 0 && !path.endsWith(".node");
    chmodSync(join(tree, path), executable || statSync(join(tree, path)).isDirectory() ? 0o755 : 0o644);
  }
}

function copyright(): string {
  const license = readFileSync(join(packageFolder, "LICENSE"), "utf8");
  return `guestfsd and the files of this package that are not named below:

${license}
/usr/lib/guestfsd/node is Node.js ${process.version} as its makers built it, under the licence in
https://github.com/nodejs/node/blob/${process.version}/LICENSE
/usr/lib/guestfsd/node_modules holds packages with their own licence files or package.json; notices of what is inside
/usr/lib/guestfsd/main.cjs stand in that file.
`;
}

function filesBelow(tree: string): string[] {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
    .sort();
}

function md5sums(tree: string, files: readonly string[]): string {
  return files
    .filter((path) => !path.startsWith("etc/"))
    .map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(join(tree, path)))
          .digest("hex")}  ${path}\n`,
    )
    .join("");
}

function refuseLibraries(node: string): void {
  const { stdout } = spawnSync("ldd", [node], { encoding: "utf8" });
  const extra = [...(stdout ?? "").matchAll(/^\s*(\S+) => /gm)]
    .map(([, library]) => basename(library ?? ""))
    .filter((library) => !guestLibraries.test(library));
  if (extra.length > 0)
    throw new Error(`${node} needs ${extra.join(", ")}, which a guest may lack: use Node.js as its makers build it`);
}
