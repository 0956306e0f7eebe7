import { randomBytes } from "node:crypto";
import { access, constants, mkdir, open, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { qemuArguments } from "./command-line.ts";
import { findProgram, spawnOwned } from "./owned-process.ts";

/** Which accelerator to use, and why. */
export interface AcceleratorChoice {
  /** What to start QEMU with. */
  accelerator: "kvm" | "tcg";
  /** Why, in one line, for a debug log. */
  reason: string;
}

/** Settings of {@link chooseAccelerator}. */
export interface AcceleratorOptions {
  /** QEMU: path, or name on PATH. */
  qemu: string;
  /** Folder in which what was found is kept; made when missing. */
  cacheDir: string;
  /** How long the test guest may take, in milliseconds. Default 5000. */
  timeoutMs?: number;
}

interface KvmRecord {
  bootId: string;
  qemu: string;
  works: boolean;
  reason: string;
}

// Real-mode code: mov ecx,2^24; again: dec ecx; jnz again; mov al,0x2a; out 0xf4,al; hlt; jmp -1. Port 0xf4 is isa-debug-exit, which makes
// QEMU exit with (0x2a << 1) | 1: only a processor that really ran gets there. There are KVMs (PVM's, for a guest's kernel that is not made
// for it) that emulate such code: they take some 30 s to count, a processor 0.02 s.
const PROBE_CODE = [0x66, 0xb9, 0, 0, 0, 1, 0x66, 0x49, 0x75, 0xfc, 0xb0, 0x2a, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd];
// At the reset vector, 16 bytes before the end: ljmp 0xf000:0, where the firmware is as well.
const RESET_CODE = [0xea, 0, 0, 0, 0xf0];
const PROBE_EXIT_CODE = 0x55;
const FIRMWARE_BYTES = 65536;
const FIRMWARE_FD = 3;
const CPU_SECONDS = 1;

async function recordPath(options: AcceleratorOptions): Promise<string> {
  await mkdir(options.cacheDir, { recursive: true, mode: 0o700 });
  return join(options.cacheDir, "kvm.json");
}

async function identity(qemu: string): Promise<{ bootId: string; qemu: string }> {
  const path = await findProgram(qemu);
  const { mtimeMs, size } = await stat(path);
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return { bootId, qemu: `${path} ${mtimeMs} ${size}` };
}

async function writeRecord(path: string, record: KvmRecord): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, path);
}

async function probe(options: AcceleratorOptions): Promise<{ works: boolean; reason: string }> {
  const firmware = Buffer.alloc(FIRMWARE_BYTES, 0xf4);
  firmware.set(PROBE_CODE);
  firmware.set(RESET_CODE, FIRMWARE_BYTES - 16);
  const path = join(options.cacheDir, `kvm-probe-${randomBytes(6).toString("hex")}.bin`);
  const file = await open(path, "wx+", 0o600);
  try {
    // QEMU inherits it: without a name, nothing of it stays when this program is killed.
    await unlink(path);
    await file.writeFile(firmware);
    const args = qemuArguments({
      machine: { type: "q35" },
      accelerator: { type: "kvm" },
      cpu: { type: "host" },
      smp: 1,
      memoryMiB: 16,
      firmware: `/dev/fd/${FIRMWARE_FD}`,
      chardevs: [],
      blockdevs: [],
      devices: [{ driver: "isa-debug-exit", iobase: 0xf4, iosize: 4 }],
    });
    // Time of the processor, so that a host that is busy changes nothing.
    const limited = [`--cpu=${CPU_SECONDS}:${CPU_SECONDS + 1}`, "--", await findProgram(options.qemu), ...args];
    const qemu = await spawnOwned("prlimit", limited, { stdio: ["ignore", "ignore", "pipe", file.fd] });
    let stderr = "";
    qemu.child.stderr?.on("data", (bytes: Buffer) => {
      stderr = (stderr + bytes.toString("utf8")).slice(-2000);
    });
    const timeoutMs = options.timeoutMs ?? 5000;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      qemu.kill();
    }, timeoutMs);
    const exit = await qemu.exited;
    clearTimeout(timer);
    if (exit.code === PROBE_EXIT_CODE)
      return { works: true, reason: "a test guest ran with KVM on this boot of the host" };
    if (exit.signal === "SIGXCPU")
      return { works: false, reason: "a test guest with KVM was too slow: KVM emulates its instructions here" };
    if (late) return { works: false, reason: `a test guest with KVM did not answer in ${timeoutMs} ms` };
    const how = exit.signal === null ? `exit status ${exit.code}` : exit.signal;
    const words = stderr.trim().split("\n").at(-1) ?? "";
    return { works: false, reason: `QEMU with KVM ended with ${how}${words === "" ? "" : `: ${words}`}` };
  } finally {
    await file.close();
  }
}

/**
 * Chooses KVM when a guest has run with it since the host booted, else TCG. The first time after a boot (or after QEMU has changed) a
 * guest of a few bytes is run, for at most a second of the processor's time, to find out whether it runs and whether the processor itself
 * runs it; the result is kept in `cacheDir`. Never fails because of KVM: when it can't be tried, the choice is TCG, for this time.
 *
 * @throws ProgramNotFoundError when there is no such QEMU
 */
export async function chooseAccelerator(options: AcceleratorOptions): Promise<AcceleratorChoice> {
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === "ENOENT" ? "there is no /dev/kvm" : `/dev/kvm can't be opened for reading and writing (${code})`;
    return { accelerator: "tcg", reason };
  }
  const id = await identity(options.qemu);
  try {
    return await tryKvm(options, id);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { accelerator: "tcg", reason: `KVM can't be tried: ${reason}` };
  }
}

async function tryKvm(
  options: AcceleratorOptions,
  id: Awaited<ReturnType<typeof identity>>,
): Promise<AcceleratorChoice> {
  const path = await recordPath(options);
  try {
    const known = JSON.parse(await readFile(path, "utf8")) as KvmRecord;
    if (known.bootId === id.bootId && known.qemu === id.qemu) {
      return { accelerator: known.works ? "kvm" : "tcg", reason: `${known.reason} (known since earlier)` };
    }
  } catch {
    // Missing or damaged: find out again.
  }
  const result = await probe(options);
  // Without a place for it, the next launch finds out again.
  await writeRecord(path, { ...id, ...result }).catch(() => undefined);
  return { accelerator: result.works ? "kvm" : "tcg", reason: result.reason };
}

/**
 * Keeps for the rest of this boot of the host that KVM does not work, e.g. after a guest died or stayed silent with it.
 *
 * @param reason one line
 */
export async function recordKvmFailure(options: AcceleratorOptions, reason: string): Promise<void> {
  await writeRecord(await recordPath(options), { ...(await identity(options.qemu)), works: false, reason });
}
