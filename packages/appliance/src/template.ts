import { realpath, stat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram, qemuArguments } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import type { PreparedDrive } from "./attach-drives.ts";
import { buildFolder, removeDrafts } from "./build-folder.ts";
import { acquireCacheLock } from "./cache-lock.ts";
import { applianceMachine } from "./machine.ts";
import { channelFd, qmpFd } from "./machine-process.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { TemplateFailures } from "./template-failures.ts";
import { restoreTemplate, restoreWaiting } from "./template-restore.ts";
import type { WaitingMachine } from "./template-restore.ts";
import { saveTemplate, templateWords } from "./template-save.ts";
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

/** The processor as far as a guest may see it. */
async function processor(): Promise<string> {
  const text = await readFile("/proc/cpuinfo", "latin1").catch(() => "");
  const field = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1] ?? "";
  return ["vendor_id", "cpu family", "model", "model name", "stepping", "microcode", "flags"].map(field).join("\n");
}

async function fileStamp(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

/** The name of the template for a machine: everything that goes into QEMU, and what that is made of. */
async function nameFor(source: TemplateSource): Promise<string> {
  const { hv, machine } = source;
  const memoryFile = { path: "memory", share: false };
  const args = qemuArguments(applianceMachine({ ...machine, words: templateWords, memoryFile, channelFd, qmpFd }));
  const qemu = await fileStamp(await realpath(await findProgram(hv)));
  return templateName([qemu, await processor(), machine.appliance.digest, ...args]);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function isCancelled(error: unknown): boolean {
  return error instanceof ApplianceError && error.stage === "cancelled";
}

async function usable(store: string, name: string, onDebug: (line: string) => void): Promise<Template | undefined> {
  try {
    return await findTemplate(store, name);
  } catch (error) {
    onDebug(`the template can't be used: ${messageOf(error)}`);
    return undefined;
  }
}

/** The template for a machine, saved now when there is none that can be used. */
async function provideTemplate(store: string, name: string, source: TemplateSource): Promise<Template | undefined> {
  const { onDebug } = source;
  const found = await usable(store, name, onDebug);
  if (found !== undefined) return found;
  const wait = (): void => onDebug("waiting for another program that saves a template");
  const lock = await acquireCacheLock(join(store, "template.lock"), wait, source.signal);
  try {
    const made = await usable(store, name, onDebug);
    if (made !== undefined) return made;
    const failed = await new TemplateFailures(store, name).reason();
    if (failed !== undefined) throw new Error(`saving one failed lately: ${failed}`);
    onDebug("saving a template");
    await removeDrafts(store, templateDraft);
    await removeTemplate(store, name);
    await buildFolder(store, name, (folder) => saveTemplate(source, folder, name), templateDraft);
    await removeOldTemplates(store, name);
    return await findTemplate(store, name);
  } finally {
    await lock.release();
  }
}

/**
 * Restores a template, in the way that `use` does; one is saved first when there is none, which takes a boot's time and some more.
 *
 * @param limitMs how long `use` may take
 * @returns `undefined` when that does not work, whatever the reason (which goes to `onDebug`): the machine has to be booted then
 * @throws ApplianceError of stage `cancelled` or `drive`: booting would be no better
 */
async function withTemplate<T>(
  store: string,
  source: TemplateSource,
  limitMs: number,
  use: (source: TemplateSource, template: Template) => Promise<T>,
): Promise<T | undefined> {
  const { onDebug } = source;
  let failures: TemplateFailures | undefined;
  let template: Template | undefined;
  try {
    const name = await nameFor(source);
    failures = new TemplateFailures(store, name);
    const failed = await failures.reason();
    if (failed !== undefined) {
      onDebug(`no template, because of earlier failures: ${failed}`);
      return undefined;
    }
    template = await provideTemplate(store, name, source);
    if (template === undefined) return undefined;
    await touchTemplate(template);
    onDebug("restoring the template");
    const result = await use({ ...source, timeoutMs: Math.min(source.timeoutMs, limitMs) }, template);
    await failures.forget();
    return result;
  } catch (error) {
    if (isCancelled(error) || (error instanceof ApplianceError && error.stage === "drive")) throw error;
    onDebug(`no template: ${messageOf(error)}`);
    // The next launch makes another one.
    if (template !== undefined) await discardTemplate(template).catch(() => undefined);
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
  return withTemplate(store, source, RESTORE_MS + drives.length * RESTORE_DRIVE_MS, (restoring, template) =>
    restoreTemplate(restoring, template, drives, tmpDir),
  );
}

/** Starts a machine that waits for its drives; see {@link withTemplate}. */
export function waitFromTemplate(
  store: string,
  source: TemplateSource,
  tmpDir: string,
): Promise<WaitingMachine | undefined> {
  return withTemplate(store, source, RESTORE_MS, (restoring, template) => restoreWaiting(restoring, template, tmpDir));
}
