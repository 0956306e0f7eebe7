import { join } from "node:path";
import { chooseAccelerator, findProgram, ProgramNotFoundError, recordKvmFailure } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { attachDrives, prepareDrives } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { buildAppliance, touchAppliance } from "./build.ts";
import type { BuiltAppliance } from "./build.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, firstBytes, MachineProcess, qmpFd } from "./machine-process.ts";
import type { ApplianceOptions, RunningAppliance } from "./running-appliance.ts";
import { startFromTemplate } from "./template.ts";
import type { TemplateSource } from "./template-save.ts";

const DEFAULT_QEMU = "qemu-system-x86_64";
const DEFAULT_TIMEOUT_MS = 120_000;
// A guest with KVM greets in a second or two; one that is silent for this long has a KVM that does not work.
const KVM_TIMEOUT_MS = 30_000;

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
  const { memsize, smp, network, verbose, append, signal, onConsole } = options;
  const source: TemplateSource = {
    hv,
    machine: { memsize, smp, network, verbose, append, appliance, accelerator },
    timeoutMs,
    signal,
    onConsole: onConsole?.bind(options),
    onDebug: (line) => options.onDebug?.(`${Date.now() - started} ms: ${line}`),
  };
  if (options.template !== false) {
    const store = join(options.cacheDir, "appliance");
    const running = await startFromTemplate(store, source, drives, options.tmpDir);
    if (running !== undefined) return running;
  }
  return boot(source, drives, options.tmpDir);
}

async function boot(
  source: TemplateSource,
  drives: readonly PreparedDrive[],
  tmpDir: string,
): Promise<RunningAppliance> {
  const { onDebug } = source;
  const machine = await MachineProcess.start({
    ...source,
    machine: applianceMachine({ ...source.machine, channelFd, qmpFd }),
  });
  try {
    const qmp = await machine.connect();
    onDebug("QEMU is up");
    await machine.wait(attachDrives(qmp, drives, tmpDir));
    machine.stage = "boot";
    await machine.wait(qmp.execute("cont"));
    onDebug(`${drives.length} drives attached, the guest is booting`);
    await machine.wait(firstBytes(machine.channel));
    onDebug("the daemon has greeted");
    return machine.handOver(source.machine.accelerator);
  } catch (error) {
    throw await machine.failure(error);
  }
}
