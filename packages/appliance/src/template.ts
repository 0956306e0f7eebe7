import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { findProgram, QmpError, qemuArguments } from "@guestfs/qemu";
import { ApplianceError, messageOf, throwIfCancelled } from "./appliance-error.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { buildFolder, removeDrafts } from "./build-folder.ts";
import { acquireCacheLock, tryCacheLock } from "./cache-lock.ts";
import { CloneError } from "./clone-orders.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, qmpFd } from "./machine-process.ts";
import { MigrationError } from "./migration.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { TemplateFailures } from "./template-failures.ts";
import { rehearseTemplate } from "./template-rehearse.ts";
import { restoreTemplate, restoreWaiting } from "./template-restore.ts";
import type { WaitingMachine } from "./template-restore.ts";
import { saveTemplate, templateTraits } from "./template-save.ts";
import type { TemplateSource } from "./template-save.ts";
import {
  discardTemplate,
  findTemplate,
  removeOldTemplates,
  removeTemplate,
  templateDraft,
  templateName,
  touchTemplate,
} from "./template-store.ts";
import type { Template } from "./template-store.ts";

// A clone greets in a fraction of a second; this is for hosts where hundreds start at once.
const RESTORE_MS = 60_000;
const RESTORE_DRIVE_MS = 200;

function cpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "latin1");
  } catch {
    return "";
  }
}

/** The processor as far as a guest may see it. */
function processor(): string {
  const text = cpuInfo();
  const field = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
  return ["vendor_id", "cpu family", "model", "model name", "stepping", "microcode", "flags"].map(field).join("\n");
}

function fileStamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}

/** The names of the two templates for a machine. */
interface Names {
  /** As it is after booting: made by the first launch, which then takes little more than a boot. */
  booted: string;
  /** As it is after rehearsing what clones do: made by the second launch from the other, for all that follow. */
  rehearsed: string;
}

/** Both depend on everything that goes into QEMU, and on what that is made of. */
async function namesFor(source: TemplateSource): Promise<Names> {
  const { hv, machine } = source;
  const memoryFile = { path: "memory", share: false };
  const args = qemuArguments(applianceMachine({ ...machine, ...templateTraits, memoryFile, channelFd, qmpFd }));
  const qemu = fileStamp(realpathSync(await findProgram(hv)));
  // Built again of the same, an image has the same name and other blocks, and a guest remembers which are where.
  const images = [machine.appliance.rootImage, machine.appliance.systemImage].map(fileStamp);
  const dependsOn = [qemu, processor(), machine.appliance.digest, ...images, ...args];
  return { booted: templateName(["booted", ...dependsOn]), rehearsed: templateName(["rehearsed", ...dependsOn]) };
}

function usable(store: string, name: string, onDebug: (line: string) => void): Template | undefined {
  try {
    return findTemplate(store, name);
  } catch (error) {
    onDebug(`the template can't be used: ${messageOf(error)}`);
    return undefined;
  }
}

/** Makes a template, whose lock is held. */
async function makeTemplate(
  store: string,
  names: Names,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<Template | undefined> {
  await removeDrafts(store, templateDraft);
  await removeTemplate(store, name);
  await buildFolder(store, name, fill, templateDraft);
  await removeOldTemplates(store, [names.booted, names.rehearsed]);
  return findTemplate(store, name);
}

/** Makes the rehearsed template from the booted one, whose lock is held; without it, launches are slower and that is all. */
async function makeRehearsed(
  store: string,
  names: Names,
  source: TemplateSource,
  booted: Template,
): Promise<Template | undefined> {
  const failures = new TemplateFailures(store, names.rehearsed);
  if (failures.reason() !== undefined) return undefined;
  source.onDebug("rehearsing with a template");
  try {
    return await makeTemplate(store, names, names.rehearsed, (folder) =>
      rehearseTemplate(source, booted, folder, names.rehearsed),
    );
  } catch (error) {
    throwIfCancelled(source.signal);
    source.onDebug(`rehearsing did not work: ${messageOf(error)}`);
    await failures.add(messageOf(error));
    return undefined;
  }
}

/** The best template for a machine: each call makes one step to a better one, or, ahead of launches, all of them. */
async function provideTemplate(
  store: string,
  names: Names,
  source: TemplateSource,
  ahead: boolean,
): Promise<Template | undefined> {
  const { onDebug, signal } = source;
  const find = (name: string): Template | undefined => usable(store, name, onDebug);
  const ready = find(names.rehearsed);
  if (ready !== undefined) return ready;
  const path = join(store, "template.lock");
  const wait = (): void => onDebug("waiting for another program that saves a template");
  const found = find(names.booted);
  // Whoever holds it is at the next step; that is no reason to wait.
  const lock = found === undefined ? await acquireCacheLock(path, wait, signal) : await tryCacheLock(path, signal);
  if (lock === undefined) return found;
  try {
    const made = find(names.rehearsed);
    if (made !== undefined) return made;
    let booted = find(names.booted);
    if (booted === undefined) {
      const failed = new TemplateFailures(store, names.booted).reason();
      if (failed !== undefined) throw new Error(`saving one failed lately: ${failed}`);
      onDebug("saving a template");
      booted = await makeTemplate(store, names, names.booted, (folder) => saveTemplate(source, folder, names.booted));
      if (!ahead) return booted;
    }
    return (booted && (await makeRehearsed(store, names, source, booted))) ?? booted;
  } finally {
    await lock.release();
  }
}

/** Whether an error of a restore may have its reason in what was restored, and not in the program or the host. */
const speaksOfTemplate = (error: unknown): boolean =>
  (error instanceof ApplianceError && (error.stage === "qemu" || error.stage === "boot")) ||
  error instanceof CloneError ||
  error instanceof MigrationError ||
  error instanceof QmpError;

/**
 * Restores a template, in the way that `use` does; one is saved first when there is none, which takes a boot's time and some more.
 *
 * @param how `ahead`: nobody waits, so the best template is made at once; `limitMs`: how long `use` may take
 * @returns `undefined` when that does not work, whatever the reason (which goes to `onDebug`): the machine has to be booted then
 * @throws ApplianceError of stage `cancelled`, `drive` or `host`: booting would be no better
 */
async function withTemplate<T>(
  store: string,
  source: TemplateSource,
  { ahead, limitMs }: { ahead: boolean; limitMs: number },
  use: (source: TemplateSource, template: Template) => Promise<T>,
): Promise<T | undefined> {
  const { onDebug } = source;
  let failures: TemplateFailures | undefined;
  let template: Template | undefined;
  try {
    const names = await namesFor(source);
    failures = new TemplateFailures(store, names.booted);
    const failed = failures.reason();
    if (failed !== undefined) {
      onDebug(`no template, because of earlier failures: ${failed}`);
      return undefined;
    }
    template = await provideTemplate(store, names, source, ahead);
    if (template === undefined) return undefined;
    touchTemplate(template);
    onDebug("restoring the template");
    const result = await use({ ...source, timeoutMs: Math.min(source.timeoutMs, limitMs) }, template);
    await failures.forget();
    return result;
  } catch (error) {
    throwIfCancelled(source.signal);
    if (error instanceof ApplianceError && (error.stage === "drive" || error.stage === "host")) throw error;
    onDebug(`no template: ${messageOf(error)}`);
    if (template !== undefined) {
      if (!speaksOfTemplate(error)) return undefined;
      // The next launch makes another one.
      await discardTemplate(template).catch(() => undefined);
    }
    // Seeing that there is no room costs nothing, and may be different next time.
    const isCheap = error instanceof ApplianceError && error.stage === "build";
    if (!isCheap) await failures?.add(error instanceof ApplianceError ? error.summary : messageOf(error));
    return undefined;
  }
}

/** Starts a machine with drives from its template; see {@link withTemplate}. */
export function startFromTemplate(
  store: string,
  source: TemplateSource,
  drives: readonly PreparedDrive[],
  tmpDir: string,
): Promise<RunningAppliance | undefined> {
  const limitMs = RESTORE_MS + drives.length * RESTORE_DRIVE_MS;
  return withTemplate(store, source, { ahead: false, limitMs }, (restoring, template) =>
    restoreTemplate(restoring, template, drives, tmpDir),
  );
}

/** Starts a machine that waits for its drives; see {@link withTemplate}. */
export function waitFromTemplate(
  store: string,
  source: TemplateSource,
  tmpDir: string,
): Promise<WaitingMachine | undefined> {
  return withTemplate(store, source, { ahead: true, limitMs: RESTORE_MS }, (restoring, template) =>
    restoreWaiting(restoring, template, tmpDir),
  );
}
