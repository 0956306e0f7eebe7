import { open } from "node:fs/promises";
import type { QmpClient } from "@guestfs/qemu";
import { attachDrives, detachDrive, prepareDrives } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { sendOrders } from "./clone-orders.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, MachineProcess, qmpFd, stateFd } from "./machine-process.ts";
import { loadState } from "./migration.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { SCRATCH_TARGET, templateWords } from "./template-save.ts";
import type { TemplateSource } from "./template-save.ts";
import type { Template } from "./template-store.ts";

/** A machine that was restored and waits for `cont`. */
async function restore(
  source: TemplateSource,
  template: Template,
): Promise<{ machine: MachineProcess; qmp: QmpClient }> {
  const state = await open(template.state, "r");
  let machine: MachineProcess;
  try {
    machine = await MachineProcess.start({
      ...source,
      state: state.fd,
      machine: applianceMachine({
        ...source.machine,
        words: templateWords,
        memoryFile: { path: template.memory, share: false },
        incoming: true,
        channelFd,
        qmpFd,
      }),
    });
  } finally {
    await state.close();
  }
  try {
    const qmp = await machine.connect();
    source.onDebug("QEMU is up");
    await machine.wait(loadState(qmp, stateFd));
    source.onDebug("the template is loaded");
    return { machine, qmp };
  } catch (error) {
    throw await machine.failure(error);
  }
}

/**
 * Restores a template, with the drives given, and waits for its daemon's greeting.
 *
 * @throws ApplianceError, CloneError, MigrationError; QEMU has ended
 */
export async function restoreTemplate(
  source: TemplateSource,
  template: Template,
  drives: readonly PreparedDrive[],
  tmpDir: string,
): Promise<RunningAppliance> {
  const { onDebug } = source;
  const { machine, qmp } = await restore(source, template);
  try {
    await machine.wait(attachDrives(qmp, drives, tmpDir));
    machine.stage = "boot";
    onDebug(`${drives.length} drives attached`);
    const fresh = sendOrders(machine.channel, [...drives.keys()], false);
    await machine.wait(Promise.all([qmp.execute("cont"), fresh]));
    onDebug("the daemon has greeted");
    return machine.handOver(source.machine.accelerator, tmpDir);
  } catch (error) {
    throw await machine.failure(error);
  }
}

/** A restored machine that waits for its drives. */
export interface WaitingMachine {
  /** Gives it its drives and waits for its daemon's greeting. Call it once. @throws ApplianceError; QEMU has ended */
  start(
    drives: readonly PreparedDrive[],
    limit: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<RunningAppliance>;
  /** Whether QEMU still runs. */
  readonly alive: boolean;
  /** Ends it without having been used. */
  stop(): Promise<void>;
}

/**
 * Restores a template and has it rehearse, so that all of what a launch and first calls run is translated: it waits for drives then.
 *
 * @throws ApplianceError, CloneError, MigrationError; QEMU has ended
 */
export async function restoreWaiting(
  source: TemplateSource,
  template: Template,
  tmpDir: string,
): Promise<WaitingMachine> {
  const { machine, qmp } = await restore(source, template);
  let alive = true;
  void machine.qemu.exited.then(() => (alive = false));
  try {
    const scratch = await prepareDrives([{ filename: template.scratch, format: "raw", readonly: true }]);
    await machine.wait(attachDrives(qmp, scratch, tmpDir, SCRATCH_TARGET));
    machine.stage = "boot";
    const rehearsed = sendOrders(machine.channel, [SCRATCH_TARGET], true);
    await machine.wait(Promise.all([qmp.execute("cont"), rehearsed]));
    await machine.wait(detachDrive(qmp, SCRATCH_TARGET));
    machine.rest();
    source.onDebug("a clone waits for its drives");
  } catch (error) {
    throw await machine.failure(error);
  }
  return {
    async start(drives, { timeoutMs, signal }) {
      machine.hurry(timeoutMs, signal);
      try {
        await machine.wait(attachDrives(qmp, drives, tmpDir));
        await machine.wait(sendOrders(machine.channel, [...drives.keys()], false));
        return machine.handOver(source.machine.accelerator, tmpDir);
      } catch (error) {
        throw await machine.failure(error);
      }
    },
    get alive() {
      return alive;
    },
    stop: () => machine.handOver(source.machine.accelerator, tmpDir).stop(),
  };
}
