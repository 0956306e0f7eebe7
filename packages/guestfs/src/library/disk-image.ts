import { execFile } from "node:child_process";
import type { ExecFileException } from "node:child_process";
import { open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import type { readImageHeader } from "@guestfs/appliance/internal";
import type { CallContext } from "../call-context.ts";
import { GuestfsError } from "../errors.ts";
import type { DiskCreateOptions } from "../gen/api.ts";
import type { LibraryFunctions } from "./library.ts";

const run = promisify(execFile);

/** What looking at an image may take, which may be made to take all: bytes of memory, seconds of a processor (libguestfs's), milliseconds. */
const limits = { as: 1024 * 1024 * 1024, cpu: 10, timeout: 60_000 } as const;

/** @param limited - whether it may take no more than {@link limits} */
async function qemuImg(context: CallContext, args: readonly string[], limited = false): Promise<string> {
  const { procedure, cancellation } = context;
  const stop = new AbortController();
  cancellation.listen(() => stop.abort());
  const [program, ...words] = limited
    ? ["prlimit", `--as=${limits.as}`, `--cpu=${limits.cpu}`, "--", "qemu-img"]
    : ["qemu-img"];
  try {
    const { stdout } = await run(program, [...words, ...args], {
      env: { ...process.env, LC_ALL: "C" },
      signal: stop.signal,
      killSignal: "SIGKILL",
      timeout: limited ? limits.timeout : 0,
    });
    return stdout;
  } catch (error) {
    cancellation.check();
    const { code, stderr = "", message, killed } = error as ExecFileException & { stderr?: string };
    const what =
      code === "ENOENT" || /failed to execute qemu-img: No such file/.test(stderr)
        ? "qemu-img is not installed; on Debian: apt-get install qemu-utils"
        : killed === true
          ? `qemu-img did not end within ${limits.timeout / 1000} s`
          : stderr.trim() || message;
    throw new GuestfsError("LOCAL", what, { procedure, cause: error });
  } finally {
    cancellation.unlisten();
  }
}

type ImageHeader = Awaited<ReturnType<typeof readImageHeader>>;

interface ImageInfo {
  readonly format: string;
  readonly "virtual-size": number;
  readonly "backing-filename"?: string;
}

/** What an image's header says, of which nothing is opened but the image. */
async function headerOf({ procedure }: CallContext, filename: string): Promise<ImageHeader> {
  const { readImageHeader } = await import("@guestfs/appliance/internal");
  try {
    return await readImageHeader(filename);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? `${filename}: No such file or directory` : message;
    throw new GuestfsError("LOCAL", what, { procedure, cause: error });
  }
}

async function info(context: CallContext, filename: string): Promise<ImageInfo> {
  const { format, virtualSize, references } = await headerOf(context, resolve(filename));
  if (references.length > 0 && virtualSize !== undefined) {
    // qemu-img would open data files and extents, which whoever wrote the image has chosen.
    const backing = references.find(({ kind }) => kind === "backing")?.name;
    return {
      format,
      "virtual-size": Number(virtualSize),
      ...(backing === undefined ? {} : { "backing-filename": backing }),
    };
  }
  // -U: an image that another QEMU has open can still be asked about. An absolute path is never taken for one of QEMU's protocols.
  const known = format === "raw" ? [] : ["-f", format];
  const told = await qemuImg(context, ["info", "-U", ...known, "--output=json", "--", resolve(filename)], true);
  return JSON.parse(told) as ImageInfo;
}

function checked(procedure: string, format: string, size: number, options: DiskCreateOptions): void {
  const wrong = (name: string, what: string): RangeError => new RangeError(`${procedure}: ${name}: ${what}`);
  const { backingfile, backingformat, preallocation, compat, clustersize } = options;
  if (format !== "raw" && format !== "qcow2")
    throw wrong("format", `${JSON.stringify(format)} is neither raw nor qcow2`);
  if (backingfile === undefined && size < 0) throw wrong("size", "-1 needs a backingfile");
  if (backingfile !== undefined && size !== -1) throw wrong("size", "with a backingfile it has to be -1");
  if (size < -1) throw wrong("size", `${size} is negative`);
  if (backingformat !== undefined && backingfile === undefined) throw wrong("backingformat", "needs a backingfile");
  if (preallocation !== undefined && !["off", "sparse", "metadata", "full"].includes(preallocation))
    throw wrong("preallocation", `${JSON.stringify(preallocation)} is none of off, sparse, metadata, full`);
  if (format === "raw") {
    for (const [name, value] of Object.entries({ backingfile, compat, clustersize }))
      if (value !== undefined) throw wrong(name, "is not for the format raw");
    if (preallocation === "metadata") throw wrong("preallocation", '"metadata" is not for the format raw');
  }
  if (compat !== undefined && compat !== "0.10" && compat !== "1.1")
    throw wrong("compat", `${JSON.stringify(compat)} is neither 0.10 nor 1.1`);
  if (
    clustersize !== undefined &&
    (clustersize < 512 || clustersize > 2 * 1024 * 1024 || (clustersize & (clustersize - 1)) !== 0)
  )
    throw wrong("clustersize", `${clustersize} is no power of 2 from 512 to 2097152`);
}

async function createRaw(context: CallContext, filename: string, size: number, full: boolean): Promise<void> {
  try {
    const existing = await stat(filename).catch(() => undefined);
    if (existing?.isBlockDevice() === true) return;
    if (full) {
      await qemuImg(context, [
        "create",
        "-q",
        "-f",
        "raw",
        "-o",
        "preallocation=falloc",
        "--",
        resolve(filename),
        String(size),
      ]);
      return;
    }
    const file = await open(filename, "w", 0o666);
    try {
      await file.truncate(size);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof GuestfsError) throw error;
    throw new GuestfsError("LOCAL", (error as Error).message, { procedure: context.procedure, cause: error });
  }
}

async function create(
  context: CallContext,
  filename: string,
  format: string,
  wide: number | bigint,
  options: DiskCreateOptions = {},
): Promise<void> {
  const size = Number(wide);
  checked(context.procedure, format, size, options);
  const { backingfile, backingformat, preallocation, compat, clustersize } = options;
  if (format === "raw") {
    await createRaw(context, filename, size, preallocation === "full");
    return;
  }
  const settings = [
    `compat=${compat ?? "1.1"}`,
    ...(clustersize === undefined ? [] : [`cluster_size=${clustersize}`]),
    ...(preallocation === undefined ? [] : [`preallocation=${preallocation === "sparse" ? "off" : preallocation}`]),
  ];
  // In -b the name is kept as given: a relative one counts from the new image's folder.
  const backing =
    backingfile === undefined
      ? []
      : [
          "-b",
          backingfile,
          "-F",
          backingformat ?? (await info(context, resolve(dirname(filename), backingfile))).format,
        ];
  await qemuImg(context, [
    "create",
    "-q",
    "-f",
    "qcow2",
    "-o",
    settings.join(","),
    ...backing,
    "--",
    resolve(filename),
    ...(size < 0 ? [] : [String(size)]),
  ]);
}

/** Disk images of this machine, through qemu-img(1). */
export const diskImageFunctions: LibraryFunctions<
  "diskCreate" | "diskFormat" | "diskHasBackingFile" | "diskVirtualSize"
> = {
  diskCreate: create,
  diskFormat: async (context, filename) => (await info(context, filename)).format,
  diskHasBackingFile: async (context, filename) => (await info(context, filename))["backing-filename"] !== undefined,
  diskVirtualSize: async (context, filename) => (await info(context, filename))["virtual-size"],
};
