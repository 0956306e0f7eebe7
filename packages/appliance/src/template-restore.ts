import { open } from "node:fs/promises";
import { attachDrives } from "./attach-drives.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { sendOrders } from "./clone-orders.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, MachineProcess, qmpFd, stateFd } from "./machine-process.ts";
import { loadState } from "./migration.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { templateWords } from "./template-save.ts";
import type { TemplateSource } from "./template-save.ts";
import type { Template } from "./template-store.ts";

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
    onDebug("QEMU is up");
    await machine.wait(loadState(qmp, stateFd));
    onDebug("the template is loaded");
    await machine.wait(attachDrives(qmp, drives, tmpDir));
    machine.stage = "boot";
    onDebug(`${drives.length} drives attached`);
    const fresh = sendOrders(machine.channel, [...drives.keys()], false);
    await machine.wait(Promise.all([qmp.execute("cont"), fresh]));
    onDebug("the daemon has greeted");
    return machine.handOver(source.machine.accelerator);
  } catch (error) {
    throw await machine.failure(error);
  }
}
