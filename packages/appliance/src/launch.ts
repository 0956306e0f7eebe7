import type { Socket } from "node:net";
import { join } from "node:path";
import {
  chooseAccelerator,
  findProgram,
  ProgramNotFoundError,
  QmpClient,
  qemuArguments,
  QmpError,
  recordKvmFailure,
  spawnOwned,
} from "@guestfs/qemu";
import type { OwnedProcess } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { attachDrives, prepareDrives } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { buildAppliance, touchAppliance } from "./build.ts";
import type { BuiltAppliance } from "./build.ts";
import { ConsoleTail } from "./console-tail.ts";
import { applianceMachine } from "./machine.ts";
import type { ApplianceOptions, RunningAppliance } from "./running-appliance.ts";

const DEFAULT_QEMU = "qemu-system-x86_64";
const DEFAULT_TIMEOUT_MS = 120_000;
// A guest with KVM greets in a second or two; one that is silent for this long has a KVM that does not work.
const KVM_TIMEOUT_MS = 30_000;
const QUIT_TIMEOUT_MS = 10_000;
const CHANNEL_FD = 3;
const QMP_FD = 4;

/**
 * Builds the appliance when that is needed, starts it with the drives given, and waits for its daemon's greeting.
 *
 * With `accelerator: "auto"` a failure of KVM is no failure: the appliance is started again with TCG, the reason goes to `onDebug`, and
 * KVM is not tried again until the host boots anew.
 *
 * @throws ApplianceError; nothing is left running and no file is left behind. RangeError for `memsize` or `smp` out of range.
 */
export async function startAppliance(options: ApplianceOptions): Promise<RunningAppliance> {
  const { memsize, smp, hv = DEFAULT_QEMU, accelerator = "auto" } = options;
  if (!Number.isInteger(memsize) || memsize < 256)
    throw new RangeError(`memsize: ${memsize} is not an integer of 256 or more`);
  if (!Number.isInteger(smp) || smp < 1 || smp > 255)
    throw new RangeError(`smp: ${smp} is not an integer from 1 to 255`);
  throwIfCancelled(options.signal);
  const onDebug = (line: string): void => options.onDebug?.(line);
  const drives = await prepareDrives(options.drives);
  await findProgram(hv).catch((error: unknown) => {
    if (!(error instanceof ProgramNotFoundError)) throw error;
    throw new ApplianceError({
      stage: "host",
      message: error.message,
      fix: "sudo apt-get install qemu-system-x86",
      cause: error,
    });
  });
  const appliance = await buildAppliance({
    cacheDir: options.cacheDir,
    daemonBundle: options.daemonBundle,
    onDebug,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  await touchAppliance(appliance);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (accelerator !== "auto") return startWith(options, hv, appliance, drives, accelerator, timeoutMs);
  const known = { qemu: hv, cacheDir: join(options.cacheDir, "appliance") };
  const choice = await chooseAccelerator(known);
  onDebug(`accelerator: ${choice.accelerator}, because ${choice.reason}`);
  if (choice.accelerator === "tcg") return startWith(options, hv, appliance, drives, "tcg", timeoutMs);
  try {
    return await startWith(options, hv, appliance, drives, "kvm", Math.min(timeoutMs, KVM_TIMEOUT_MS));
  } catch (error) {
    if (!(error instanceof ApplianceError) || (error.stage !== "qemu" && error.stage !== "boot")) throw error;
    onDebug(`starting again with TCG: ${error.message}`);
    const running = await startWith(options, hv, appliance, drives, "tcg", timeoutMs);
    await recordKvmFailure(known, error.summary);
    return running;
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new ApplianceError({
    stage: "cancelled",
    message: "starting the appliance was cancelled",
    cause: signal.reason,
  });
}

async function startWith(
  options: ApplianceOptions,
  hv: string,
  appliance: BuiltAppliance,
  drives: readonly PreparedDrive[],
  accelerator: "kvm" | "tcg",
  timeoutMs: number,
): Promise<RunningAppliance> {
  const started = Date.now();
  const onDebug = (line: string): void => options.onDebug?.(`${Date.now() - started} ms: ${line}`);
  const machine = applianceMachine({ ...options, appliance, accelerator, channelFd: CHANNEL_FD, qmpFd: QMP_FD });
  const tail = new ConsoleTail();
  let qemu: OwnedProcess;
  try {
    const args = qemuArguments(machine);
    onDebug(`running ${hv} ${args.join(" ")}`);
    qemu = await spawnOwned(hv, args, { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
  } catch (error) {
    throw new ApplianceError({ stage: "qemu", message: `${hv} can't be started`, cause: error });
  }
  const receive = (bytes: Buffer): void => {
    tail.add(bytes);
    options.onConsole?.(bytes);
  };
  qemu.child.stdout?.on("data", receive);
  qemu.child.stderr?.on("data", receive);
  // node makes unix socket pairs for such descriptors, so there are no socket files that others could reach.
  const channel = qemu.child.stdio[CHANNEL_FD] as Socket;
  const monitor = qemu.child.stdio[QMP_FD] as Socket;
  channel.on("error", () => undefined);
  const { exited } = qemu;
  let stage: "qemu" | "boot" = "qemu";
  const failed = exited.then((exit): never => {
    const how = exit.signal === null ? `exit status ${exit.code}` : `killed by ${exit.signal}`;
    const message =
      stage === "qemu" ? `QEMU ended at once (${how})` : `the appliance ended before its daemon greeted (${how})`;
    throw new ApplianceError({ stage, message, evidence: tail.text(), fix: fixFor(tail.text()) });
  });
  failed.catch(() => undefined);
  const limit = new StartLimit(timeoutMs, options.signal, tail);
  try {
    const qmp = await Promise.race([
      QmpClient.connect(monitor, { timeoutMs: Math.min(timeoutMs, 30_000) }),
      failed,
      limit.reached,
    ]);
    onDebug("QEMU is up");
    await Promise.race([attachDrives(qmp, drives, options.tmpDir), failed, limit.reached]);
    stage = "boot";
    await Promise.race([qmp.execute("cont"), failed, limit.reached]);
    onDebug(`${drives.length} drives attached, the guest is booting`);
    await Promise.race([firstBytes(channel), failed, limit.reached]);
    onDebug("the daemon has greeted");
    return runningAppliance(qemu, qmp, channel, exited, tail, accelerator);
  } catch (error) {
    // When QEMU ends, its sockets end a moment before; what it wrote at the end is worth waiting for.
    const gone = error instanceof QmpError && error.code === "closed";
    const cause = gone ? await Promise.race([failed, limit.reached]).catch((reason: unknown) => reason) : error;
    qemu.kill();
    await exited;
    if (cause instanceof QmpError) {
      throw new ApplianceError({ stage, message: `QEMU refused: ${cause.message}`, evidence: tail.text(), cause });
    }
    throw cause;
  } finally {
    limit.end();
  }
}

/** Rejects when the time is up or the caller's signal is aborted, whichever comes first. */
class StartLimit {
  readonly reached: Promise<never>;
  readonly end: () => void;

  constructor(timeoutMs: number, signal: AbortSignal | undefined, tail: ConsoleTail) {
    let end = (): void => undefined;
    this.reached = new Promise((_, reject) => {
      const timer = setTimeout(() => {
        const message = `no greeting from the appliance's daemon in ${timeoutMs / 1000} s`;
        reject(new ApplianceError({ stage: "boot", message, evidence: tail.text() }));
      }, timeoutMs);
      const onAbort = (): void =>
        reject(
          new ApplianceError({
            stage: "cancelled",
            message: "starting the appliance was cancelled",
            cause: signal?.reason,
          }),
        );
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort);
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
    });
    this.reached.catch(() => undefined);
    this.end = end;
  }
}

function firstBytes(channel: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => reject(new QmpError("closed", "channel", "the channel was closed"));
    channel.once("end", onEnd);
    channel.once("readable", () => {
      channel.off("end", onEnd);
      if (channel.readableLength > 0) resolve();
      else onEnd();
    });
  });
}

function fixFor(evidence: string): string {
  if (/[Cc]annot (set up guest memory|allocate memory)/.test(evidence))
    return "free some memory, or start the appliance with a smaller memsize";
  if (/Out of memory|out of memory/.test(evidence)) return "start the appliance with a larger memsize";
  return "";
}

function runningAppliance(
  qemu: OwnedProcess,
  qmp: QmpClient,
  channel: Socket,
  exited: RunningAppliance["exited"],
  tail: ConsoleTail,
  accelerator: "kvm" | "tcg",
): RunningAppliance {
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => qemu.kill(), QUIT_TIMEOUT_MS);
    await qmp.execute("quit", {}, QUIT_TIMEOUT_MS).catch(() => undefined);
    await exited;
    clearTimeout(timer);
    channel.destroy();
    qmp.close();
  };
  return {
    channel,
    pid: qemu.pid,
    accelerator,
    exited,
    consoleTail: () => tail.text(),
    stop: () => (stopping ??= stop()),
    kill: () => qemu.kill(),
  };
}
