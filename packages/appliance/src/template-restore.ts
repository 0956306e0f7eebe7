import { open } from "node:fs/promises";
import type { QmpClient } from "@guestfs/qemu";
import { attachDrives, detachDrive } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { sendIdentity, sendOrders } from "./clone-orders.ts";
import type { Orders } from "./clone-orders.ts";
import { fitsSlot, slotTarget } from "./drive-slot.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, MachineProcess, qmpFd, stateFd } from "./machine-process.ts";
import { loadState } from "./migration.ts";
import { rehearse } from "./rehearsal.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { templateTraits } from "./template-save.ts";
import type { TemplateSource } from "./template-save.ts";
import type { Template } from "./template-store.ts";

/**
 * A machine that was restored and waits for `cont`.
 *
 * @param memoryFile the template's memory, which is never written to, or a copy of it
 * @throws ApplianceError, MigrationError; QEMU has ended
 */
export async function restore(
  source: TemplateSource,
  template: Template,
  memoryFile: { path: string; share: boolean } = { path: template.memory, share: false },
): Promise<{ machine: MachineProcess; qmp: QmpClient }> {
  const state = await open(template.state, "r");
  let machine: MachineProcess;
  try {
    machine = await MachineProcess.start({
      ...source,
      state: state.fd,
      machine: applianceMachine({
        ...source.machine,
        ...templateTraits,
        memoryFile,
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
 * Attaches a clone's drives, the first one in the disk that is there when it fits; else that disk is taken away.
 *
 * @returns what to tell the daemon
 * @throws ApplianceError, QmpError
 */
async function attachToClone(
  machine: MachineProcess,
  qmp: QmpClient,
  drives: readonly PreparedDrive[],
  tmpDir: string,
): Promise<Orders> {
  const [first] = drives;
  const slotFilled = first !== undefined && fitsSlot(first.drive);
  if (!slotFilled) await machine.wait(detachDrive(qmp, slotTarget));
  await machine.wait(attachDrives(qmp, drives, tmpDir, { intoSlot: slotFilled, onDebug: machine.onDebug }));
  const targets = [...drives.keys()];
  return { purpose: "launch", slotFilled, drives: slotFilled ? targets.slice(1) : targets };
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
    machine.stage = "boot";
    // While QEMU opens the images, the guest becomes another machine.
    const running = qmp.execute("cont");
    sendIdentity(machine.channel);
    const [orders] = await machine.wait(Promise.all([attachToClone(machine, qmp, drives, tmpDir), running]));
    onDebug(`${drives.length} drives attached`);
    await machine.wait(sendOrders(machine.channel, orders));
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
    machine.stage = "boot";
    await machine.wait(qmp.execute("cont"));
    await rehearse(machine, qmp, { filename: template.scratch, format: "raw", readonly: true }, tmpDir);
    sendIdentity(machine.channel);
    machine.rest();
    source.onDebug("a clone waits for its drives");
  } catch (error) {
    throw await machine.failure(error);
  }
  return {
    async start(drives, { timeoutMs, signal }) {
      machine.hurry(timeoutMs, signal);
      try {
        await machine.wait(sendOrders(machine.channel, await attachToClone(machine, qmp, drives, tmpDir)));
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
