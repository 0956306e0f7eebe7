import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { qemuArguments } from "./command-line.ts";
import { findProgram, spawnOwned } from "./owned-process.ts";
import { QmpClient } from "./qmp.ts";
import type { QmpSchemaEntry } from "./qmp.ts";

/** What a QEMU has, as it says itself over QMP. */
export interface QemuCapabilities {
  /** `MAJOR.MINOR.MICRO`. */
  version: string;
  /** Machine types and their aliases. */
  machines: readonly string[];
  /** Devices that `device_add` takes. */
  devices: readonly string[];
  /** Values of a block node's `driver`: formats and protocols. A driver in a module that is not installed counts as present. */
  blockDrivers: readonly string[];
  /** QMP commands. */
  commands: readonly string[];
  /** Options of the command line that take key=value lists, e.g. `sandbox`, `chardev`. */
  optionGroups: readonly string[];
}

/** QEMU did not answer when it was asked what it has. */
export class QemuProbeError extends Error {
  override readonly name: string = "QemuProbeError";
  /** What it wrote to standard error. */
  readonly stderr: string;

  constructor(qemu: string, stderr: string, cause: unknown) {
    super(`${qemu} does not say what it has${stderr === "" ? "" : `: ${stderr}`}`, { cause });
    this.stderr = stderr;
  }
}

/**
 * The values of `driver` in the argument of `blockdev-add`, from QEMU's description of its protocol (whose type names mean nothing and
 * are followed as references).
 */
export function blockDriversIn(schema: readonly QmpSchemaEntry[]): string[] {
  const byName = new Map(schema.map((entry) => [entry.name, entry]));
  const argument = byName.get(byName.get("blockdev-add")?.["arg-type"] ?? "");
  const driver = argument?.members?.find(({ name }) => name === "driver");
  return [...(byName.get(driver?.type ?? "")?.values ?? [])].sort();
}

/**
 * Asks a QEMU what it has; kept in `cacheDir` until its file changes (path, time, size).
 *
 * @param qemu path, or name on PATH
 * @param cacheDir made 0700 when missing
 * @throws ProgramNotFoundError, QemuProbeError
 */
export async function qemuCapabilities(qemu: string, cacheDir: string): Promise<QemuCapabilities> {
  const path = await realpath(await findProgram(qemu));
  const { mtimeMs, size } = await stat(path);
  const key = createHash("sha256").update(`1 ${path} ${mtimeMs} ${size}`).digest("hex").slice(0, 24);
  const file = join(cacheDir, `qemu-${key}.json`);
  try {
    return JSON.parse(await readFile(file, "utf8")) as QemuCapabilities;
  } catch {
    // Missing or damaged: ask again.
  }
  const capabilities = await ask(path);
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, JSON.stringify(capabilities), { mode: 0o600 });
  await rename(draft, file);
  return capabilities;
}

async function ask(path: string): Promise<QemuCapabilities> {
  const args = qemuArguments({
    machine: { type: "none" },
    accelerator: { type: "tcg" },
    cpu: undefined,
    smp: 1,
    memoryMiB: 1,
    chardevs: [{ id: "qmp", backend: "socket", fd: "3" }],
    qmpChardev: "qmp",
    blockdevs: [],
    devices: [],
    paused: true,
  });
  const qemu = await spawnOwned(path, args, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  let stderr = "";
  qemu.child.stderr?.on("data", (bytes: Buffer) => {
    stderr = (stderr + bytes.toString("utf8")).slice(-2000);
  });
  try {
    const qmp = await QmpClient.connect(qemu.child.stdio[3] as Socket);
    const { qemu: version } = await qmp.execute("query-version");
    const schema = await qmp.execute("query-qmp-schema");
    const machines = await qmp.execute("query-machines");
    const devices = await qmp.execute("qom-list-types", { implements: "device", abstract: false });
    const options = await qmp.execute("query-command-line-options");
    await qmp.execute("quit").catch(() => undefined);
    return {
      version: `${version.major}.${version.minor}.${version.micro}`,
      machines: machines.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])).sort(),
      devices: devices.map(({ name }) => name).sort(),
      blockDrivers: blockDriversIn(schema),
      commands: schema
        .filter((entry) => entry["meta-type"] === "command")
        .map(({ name }) => name)
        .sort(),
      optionGroups: options.map(({ option }) => option).sort(),
    };
  } catch (error) {
    qemu.kill();
    await qemu.exited;
    throw new QemuProbeError(path, stderr.trim(), error);
  } finally {
    qemu.kill();
  }
}
