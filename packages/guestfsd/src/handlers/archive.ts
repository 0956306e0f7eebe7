import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { aboutPath } from "../about-path.ts";
import { checkRootMounted } from "../argument-check.ts";
import { Base64Decoder, Base64Encoder } from "../base64-stream.ts";
import { blocksOf, withContent, withDeviceContent, writeAll } from "../content.ts";
import type { Context, HandlersOf, InputContext, OutputContext } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { O_DIRECTORY } from "../native/file.ts";
import { withScratchFolder } from "../scratch-folder.ts";
import { writingBelow } from "../native/namespace.ts";
import { walkTree } from "../tree-walk.ts";

const create = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOCTTY | constants.O_NONBLOCK;

const zero = Buffer.alloc(1);
/** Names that cpio(1) is given in one go, in bytes. */
const namesTogether = 32 * 1024;

const tarCompressors: Readonly<Record<string, string>> = {
  compress: "--compress",
  gzip: "--gzip",
  bzip2: "--bzip2",
  xz: "--xz",
  lzop: "--lzop",
  lzma: "--lzma",
  zstd: "--zstd",
};

/** Compressors, with the levels that each of them has. */
const compressors: Readonly<
  Record<string, { readonly argv: readonly string[]; readonly levels?: readonly [number, number] }>
> = {
  compress: { argv: ["compress", "-c"] },
  gzip: { argv: ["gzip", "-c"], levels: [1, 9] },
  bzip2: { argv: ["bzip2", "-c"], levels: [1, 9] },
  xz: { argv: ["xz", "-c"], levels: [0, 9] },
  lzop: { argv: ["lzop", "-c"], levels: [1, 9] },
  zstd: { argv: ["zstd", "-q", "-c"], levels: [1, 19] },
};

function compressorOption(compress: string | undefined): string[] {
  if (compress === undefined) return [];
  const option = Object.hasOwn(tarCompressors, compress) ? tarCompressors[compress] : undefined;
  if (option === undefined)
    throw new DaemonError(`${compress}: compression is one of ${Object.keys(tarCompressors).join(", ")}`);
  return [option];
}

function compressorCommand(ctype: string, level: number | undefined): string[] {
  const compressor = Object.hasOwn(compressors, ctype) ? compressors[ctype] : undefined;
  if (!compressor) throw new DaemonError(`${ctype}: a compressor is one of ${Object.keys(compressors).join(", ")}`);
  if (level === undefined) return [...compressor.argv];
  const { levels } = compressor;
  if (!levels) throw new DaemonError(`${ctype} has no levels`);
  if (level < levels[0] || level > levels[1])
    throw new DaemonError(`${level}: ${ctype} has the levels ${levels[0]} to ${levels[1]}`);
  return [...compressor.argv, `-${level}`];
}

function compressContent(context: OutputContext, stdin: number, argv: readonly string[]): void {
  run(argv, { stdin, pulse: context.pulse, stdout: context.output });
}

function withDescriptor(fd: number, use: (fd: number) => void): void {
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens a folder that a plain argument names. */
function withFolder(context: Context, path: string, use: (fd: number) => void): void {
  if (!path.startsWith("/")) throw new DaemonError(`directory: path must start with a / character: ${path}`);
  checkRootMounted(context.state);
  withDescriptor(
    aboutPath(path, () => context.sysroot.open(path, constants.O_RDONLY | O_DIRECTORY)),
    use,
  );
}

interface Unpacking {
  readonly directory: string;
  readonly compress?: string | undefined;
  readonly xattrs?: boolean | undefined;
  readonly selinux?: boolean | undefined;
  readonly acls?: boolean | undefined;
  readonly keepdirlink?: boolean | undefined;
}

function unpackTar(args: Unpacking, context: InputContext): void {
  const argv = ["tar", "-x", "-f", "-", ...compressorOption(args.compress)];
  if (args.xattrs) argv.push("--xattrs", "--xattrs-include=*");
  if (args.selinux) argv.push("--selinux");
  if (args.acls) argv.push("--acls");
  if (args.keepdirlink) argv.push("--keep-directory-symlink");
  const { sysroot, state } = context;
  const open = (): number => sysroot.open(args.directory, constants.O_RDONLY | O_DIRECTORY);
  const unpack = (directory: number): void => {
    run(argv, { directory, stdin: context.input, pulse: context.pulse });
  };
  // tar follows symlinks that lie in the tree already. In the appliance they lead to nothing of worth.
  if (state.options.appliance || sysroot.path === "/") withDescriptor(open(), unpack);
  else writingBelow(sysroot.path, open, unpack);
}

// Records of 64 KiB: with tar's usual 10 KiB, writing takes longer than reading where system calls are slow.
const blocking = "--blocking-factor=128";

interface Packing {
  readonly directory: string;
  readonly compress?: string | undefined;
  readonly numericowner?: boolean | undefined;
  readonly excludes?: readonly string[] | undefined;
  readonly xattrs?: boolean | undefined;
  readonly selinux?: boolean | undefined;
  readonly acls?: boolean | undefined;
}

function packTar(args: Packing, context: OutputContext): void {
  const argv = ["tar", "-c", "-f", "-", blocking, ...compressorOption(args.compress)];
  if (args.numericowner) argv.push("--numeric-owner");
  if (args.xattrs) argv.push("--xattrs", "--xattrs-include=*");
  if (args.selinux) argv.push("--selinux");
  if (args.acls) argv.push("--acls");
  for (const pattern of args.excludes ?? []) argv.push(`--exclude=${pattern}`);
  withFolder(context, args.directory, (directory) => {
    run([...argv, "."], {
      directory,
      pulse: context.pulse,
      stdout: context.output,
      // 1: a file changed while it was read, which in a machine that runs is no failure.
      accept: context.state.options.live ? [0, 1] : [0],
    });
  });
}

/** The names below a folder, each after its folder's, for cpio(1), as they are found. */
function* treeNames(top: number, pulse: () => void): Generator<Uint8Array> {
  let names: Buffer[] = [Buffer.from(".\0")];
  let length = 0;
  for (const { prefix, name } of walkTree(top, pulse)) {
    const path = Buffer.concat([prefix, name, zero]);
    names.push(path);
    length += path.length;
    if (length < namesTogether) continue;
    yield Buffer.concat(names);
    [names, length] = [[], 0];
  }
  yield Buffer.concat(names);
}

function packCpio(context: OutputContext, path: string, format: string): void {
  if (format !== "newc" && format !== "crc") throw new DaemonError(`${format}: a format is newc or crc`);
  withFolder(context, path, (directory) => {
    run(["cpio", "--quiet", "-o", "-0", "-H", format], {
      directory,
      stdin: treeNames(directory, context.pulse),
      pulse: context.pulse,
      stdout: context.output,
    });
  });
}

interface Squashing {
  readonly path: string;
  readonly compress?: string | undefined;
  readonly excludes?: readonly string[] | undefined;
}

function packSquashfs({ path, compress, excludes }: Squashing, context: OutputContext): void {
  withScratchFolder(context.state, (scratch) => {
    const image = join(scratch, "image");
    const argv = ["mksquashfs", ".", image, "-noappend", "-no-recovery", "-no-progress"];
    if (compress !== undefined) argv.push("-comp", compress);
    if (excludes?.length) argv.push("-wildcards", "-e", ...excludes);
    context.sysroot.withOpen(path, constants.O_RDONLY | O_DIRECTORY, (directory) => {
      run(argv, { directory, pulse: context.pulse });
    });
    const fd = openSync(image, constants.O_RDONLY);
    try {
      context.output.copyFrom(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Packed files and trees, in and out. */
export const archive: HandlersOf<"archive"> = {
  base64_in({ filename }, context) {
    const decoder = new Base64Decoder();
    const decode = (fd: number): void => {
      for (const data of context.input) writeAll(fd, decoder.push(data));
      decoder.end();
    };
    context.sysroot.withOpen(filename, create, decode, 0o666);
  },
  base64_out({ filename }, context) {
    const encoder = new Base64Encoder();
    withContent(context, filename, (fd) => {
      for (const block of blocksOf(fd, context.pulse)) context.output.write(encoder.push(block));
    });
    context.output.write(encoder.end());
  },
  compress_device_out({ ctype, device, level }, context) {
    const argv = compressorCommand(ctype, level);
    withDeviceContent(device, (fd) => compressContent(context, fd, argv));
  },
  compress_out({ ctype, file, level }, context) {
    const argv = compressorCommand(ctype, level);
    withContent(context, file, (fd) => compressContent(context, fd, argv));
  },
  cpio_out: ({ directory, format }, context) => packCpio(context, directory, format ?? "newc"),
  mksquashfs: (args, context) => packSquashfs(args, context),
  tar_in: (args, context) => unpackTar(args, context),
  tar_out: (args, context) => packTar(args, context),
  tgz_in: ({ directory }, context) => unpackTar({ directory, compress: "gzip" }, context),
  tgz_out: ({ directory }, context) => packTar({ directory, compress: "gzip" }, context),
  txz_in: ({ directory }, context) => unpackTar({ directory, compress: "xz" }, context),
  txz_out: ({ directory }, context) => packTar({ directory, compress: "xz" }, context),
};
