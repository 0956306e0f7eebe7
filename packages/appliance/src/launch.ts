import { join } from "node:path";
import { chooseAccelerator, findProgram, ProgramNotFoundError, recordKvmFailure } from "@guestfs/qemu";
import { ApplianceError, throwIfCancelled } from "./appliance-error.ts";
import { attachDrives, prepareDrives } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { buildAppliance, removeDamaged, touchAppliance } from "./build.ts";
import type { BuiltAppliance } from "./build.ts";
import type { ApplianceDrive } from "./drive.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, firstBytes, MachineProcess, qmpFd } from "./machine-process.ts";
import type { ApplianceOptions, RunningAppliance } from "./running-appliance.ts";
import { startFromTemplate, waitFromTemplate } from "./template.ts";
import type { TemplateSource } from "./template-save.ts";

const DEFAULT_QEMU = "qemu-system-x86_64";
const DEFAULT_TIMEOUT_MS = 120_000;
// A guest with KVM greets in a second or two; one that is silent for this long has a KVM that does not work.
const KVM_TIMEOUT_MS = 30_000;

/**
 * Builds the appliance when that is needed, starts it with the drives given, and waits for its daemon's greeting.
 *
 * With `accelerator: "auto"` a failure of KVM is no failure: the appliance is started again with TCG, the reason goes to `onDebug`, and
 * KVM is not tried again until the host boots anew. When a guest does not come up because the appliance's files are damaged, they are built
 * again.
 *
 * @throws ApplianceError; nothing is left running and no file is left behind. RangeError for `memsize` or `smp` out of range.
 */
export async function startAppliance(options: ApplianceOptions): Promise<RunningAppliance> {
  checkOptions(options);
  const drives = await prepareDrives(options.drives);
  const appliance = await provideAppliance(options);
  try {
    return await startBuilt(options, appliance, drives);
  } catch (error) {
    if (!isOfMachine(error) || !(await removeDamaged(appliance, options.signal))) throw error;
    options.onDebug?.(`the appliance is damaged, and is built again: ${error.message}`);
    return startBuilt(options, await provideAppliance(options), drives);
  }
}

function startBuilt(
  options: ApplianceOptions,
  appliance: BuiltAppliance,
  drives: readonly PreparedDrive[],
): Promise<RunningAppliance> {
  return withAccelerator(options, (accelerator, limitMs) => {
    const source = sourceOf(options, appliance, accelerator, limitMs);
    return startWith(options, source, drives);
  });
}

/** Whether the machine did not come up, for a reason that is not the drives' or the host's. */
const isOfMachine = (error: unknown): error is ApplianceError =>
  error instanceof ApplianceError && (error.stage === "qemu" || error.stage === "boot");

/** An appliance that was started ahead and waits for its drives. */
export interface WaitingAppliance {
  /**
   * Gives it its drives and waits for the daemon's greeting. Call it once.
   *
   * @throws ApplianceError; nothing is left running then
   */
  start(drives: readonly ApplianceDrive[], signal?: AbortSignal): Promise<RunningAppliance>;
  /** `false` when it has ended by itself. */
  readonly alive: boolean;
  /** Ends it unused. */
  stop(): Promise<void>;
}

/**
 * Starts an appliance ahead, from its template, without drives: getting it to greet takes a fraction of a launch then.
 *
 * @param options as for {@link startAppliance}; its drives are not used
 * @returns `undefined` when there is no template to be had; launching is what is left
 * @throws ApplianceError, RangeError as {@link startAppliance}
 */
export async function startWaitingAppliance(options: ApplianceOptions): Promise<WaitingAppliance | undefined> {
  checkOptions(options);
  if (!mayRestore(options)) return undefined;
  const appliance = await provideAppliance(options);
  const machine = await withAccelerator(options, (accelerator, limitMs) =>
    waitFromTemplate(storeOf(options), sourceOf(options, appliance, accelerator, limitMs), options.tmpDir),
  );
  if (machine === undefined) return undefined;
  return {
    async start(given, signal) {
      const drives = await prepareDrives(given);
      const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      return machine.start(drives, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
    },
    get alive() {
      return machine.alive;
    },
    stop: () => machine.stop(),
  };
}

/** What changes the machine may be anything, so nothing is saved of it and nothing restored. */
const mayRestore = ({ template, hvArguments = [] }: ApplianceOptions): boolean =>
  template !== false && hvArguments.length === 0;

const storeOf = ({ cacheDir }: ApplianceOptions): string => join(cacheDir, "appliance");

function checkOptions({ memsize, smp, signal }: ApplianceOptions): void {
  if (!Number.isInteger(memsize) || memsize < 256)
    throw new RangeError(`memsize: ${memsize} is not an integer of 256 or more`);
  if (!Number.isInteger(smp) || smp < 1 || smp > 255)
    throw new RangeError(`smp: ${smp} is not an integer from 1 to 255`);
  throwIfCancelled(signal);
}

async function provideAppliance(options: ApplianceOptions): Promise<BuiltAppliance> {
  await findProgram(options.hv ?? DEFAULT_QEMU).catch((error: unknown) => {
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
    onDebug: (line) => options.onDebug?.(line),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  touchAppliance(appliance);
  return appliance;
}

/** Starts something with the accelerator that is asked for, or with the best one that works. */
async function withAccelerator<T>(
  options: ApplianceOptions,
  start: (accelerator: "kvm" | "tcg", timeoutMs: number) => Promise<T>,
): Promise<T> {
  const { hv = DEFAULT_QEMU, accelerator = "auto", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (accelerator !== "auto") return start(accelerator, timeoutMs);
  const onDebug = (line: string): void => options.onDebug?.(line);
  const known = { qemu: hv, cacheDir: storeOf(options) };
  const choice = await chooseAccelerator(known);
  onDebug(`accelerator: ${choice.accelerator}, because ${choice.reason}`);
  if (choice.accelerator === "tcg") return start("tcg", timeoutMs);
  try {
    return await start("kvm", Math.min(timeoutMs, KVM_TIMEOUT_MS));
  } catch (error) {
    if (!isOfMachine(error)) throw error;
    onDebug(`starting again with TCG: ${error.message}`);
    const started = await start("tcg", timeoutMs);
    await recordKvmFailure(known, error.summary).catch(() => undefined);
    return started;
  }
}

function sourceOf(
  options: ApplianceOptions,
  appliance: BuiltAppliance,
  accelerator: "kvm" | "tcg",
  timeoutMs: number,
): TemplateSource {
  const started = Date.now();
  const { memsize, smp, network, verbose, append, hvArguments, signal, onConsole, hv = DEFAULT_QEMU } = options;
  return {
    hv,
    machine: { memsize, smp, network, verbose, append, hvArguments, appliance, accelerator },
    timeoutMs,
    signal,
    onConsole: onConsole?.bind(options),
    onDebug: (line) => options.onDebug?.(`${Date.now() - started} ms: ${line}`),
  };
}

async function startWith(
  options: ApplianceOptions,
  source: TemplateSource,
  drives: readonly PreparedDrive[],
): Promise<RunningAppliance> {
  if (mayRestore(options)) {
    const running = await startFromTemplate(storeOf(options), source, drives, options.tmpDir);
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
    await machine.wait(attachDrives(qmp, drives, tmpDir, { onDebug }));
    machine.stage = "boot";
    await machine.wait(qmp.execute("cont"));
    onDebug(`${drives.length} drives attached, the guest is booting`);
    await machine.wait(firstBytes(machine.channel));
    onDebug("the daemon has greeted");
    return machine.handOver(source.machine.accelerator, tmpDir);
  } catch (error) {
    throw await machine.failure(error);
  }
}
