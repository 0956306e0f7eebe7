import { createHash, randomBytes } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import type { Stats } from "node:fs";
import { lstat, readFile, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { touch } from "./build-folder.ts";
import { removeForgotten } from "./template-failures.ts";

/** Folder names of templates begin so. */
const templatePrefix = "template-";

/** Drafts of templates begin so: those of appliances are made, and removed, under another lock. */
export const templateDraft = "saving";

/** Raise it when templates are made or restored in another way that the key does not show. */
const TEMPLATE_VERSION = 3;
const KEEP_NEWEST = 4;
const KEEP_MS = 10 * 60 * 1000;

/** A saved machine: files of a folder that is never changed once it has its name. */
export interface Template {
  /** The guest's memory. */
  readonly memory: string;
  /** Everything else of the machine. */
  readonly state: string;
  /** A disk to rehearse with. */
  readonly scratch: string;
}

/** `template.json`: what the files must look like. */
export interface TemplateRecord {
  readonly version: number;
  readonly key: string;
  readonly memoryBytes: number;
  readonly memoryTimeMs: number;
  readonly stateDigest: string;
}

/** A template is there but can't be used. */
export class TemplateDamagedError extends Error {
  override readonly name: string = "TemplateDamagedError";
}

/** The name of the template for what it depends on: strings in a fixed order. */
export function templateName(dependsOn: readonly string[]): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([TEMPLATE_VERSION, ...dependsOn]))
    .digest("hex");
  return templatePrefix + digest.slice(0, 24);
}

/** The files of a template, or of a draft. */
export const templatePaths = (folder: string): Template & { record: string } => ({
  memory: join(folder, "memory"),
  state: join(folder, "state"),
  scratch: join(folder, "scratch"),
  record: join(folder, "template.json"),
});

function requirePrivate(path: string, info: Stats): void {
  if (info.isSymbolicLink()) throw new TemplateDamagedError(`${path} is a symbolic link`);
  if (info.uid !== process.getuid?.()) throw new TemplateDamagedError(`${path} belongs to user ${info.uid}`);
  if ((info.mode & 0o022) !== 0) throw new TemplateDamagedError(`${path} can be written by others`);
}

/** What a draft's `template.json` has to say once its memory and its state are written. */
export async function recordOf(folder: string, name: string): Promise<TemplateRecord> {
  const { memory, state } = templatePaths(folder);
  const { size, mtimeMs } = await lstat(memory);
  return {
    version: TEMPLATE_VERSION,
    key: name,
    memoryBytes: size,
    memoryTimeMs: mtimeMs,
    stateDigest: createHash("sha256")
      .update(await readFile(state))
      .digest("hex"),
  };
}

/**
 * Finds a template and makes sure that it is as it was saved.
 *
 * @returns `undefined` when there is none
 * @throws TemplateDamagedError, or an error of the filesystem, when it must not be used
 */
export function findTemplate(store: string, name: string): Template | undefined {
  const folder = join(store, name);
  const { memory, state, scratch, record: recordPath } = templatePaths(folder);
  const info = lstatSync(folder, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  requirePrivate(folder, info);
  const memoryInfo = lstatSync(memory);
  requirePrivate(memory, memoryInfo);
  requirePrivate(state, lstatSync(state));
  const text = readFileSync(recordPath, "utf8");
  const saved = readFileSync(state);
  let record: Partial<TemplateRecord>;
  try {
    record = JSON.parse(text) as Partial<TemplateRecord>;
  } catch (error) {
    throw new TemplateDamagedError(`${recordPath} is damaged`, { cause: error });
  }
  if (record.version !== TEMPLATE_VERSION || record.key !== name)
    throw new TemplateDamagedError(`${recordPath} was written by another version`);
  if (memoryInfo.size !== record.memoryBytes || memoryInfo.mtimeMs !== record.memoryTimeMs)
    throw new TemplateDamagedError(`${memory} is not as it was saved`);
  if (createHash("sha256").update(saved).digest("hex") !== record.stateDigest)
    throw new TemplateDamagedError(`${state} is not as it was saved`);
  return { memory, state, scratch };
}

/** Marks a template as used now, so that {@link removeOldTemplates} keeps it. */
export function touchTemplate(template: Template): void {
  touch(dirname(template.state));
}

/**
 * Takes a template that did not work out of the way, also while others look at it: they see it whole or not at all.
 *
 * @throws an error of the filesystem
 */
export async function discardTemplate(template: Template): Promise<void> {
  const folder = dirname(template.state);
  const aside = join(dirname(folder), `${templateDraft}-${process.pid}-${randomBytes(6).toString("hex")}`);
  await rename(folder, aside);
  await rm(aside, { recursive: true, force: true });
}

/** Removes a template that can't be used. A QEMU that has it open is not disturbed. Only whoever holds the cache's lock may call it. */
export async function removeTemplate(store: string, name: string): Promise<void> {
  await rm(join(store, name), { recursive: true, force: true });
}

/**
 * Removes templates that were replaced: not in `keep`, not among the four used last, not used in the last ten minutes. A QEMU that has one
 * open is not disturbed. Only whoever holds the cache's lock may call it.
 */
export async function removeOldTemplates(store: string, keep: readonly string[]): Promise<void> {
  await removeForgotten(store);
  const names = (await readdir(store)).filter((name) => /^template-[0-9a-f]+$/.test(name) && !keep.includes(name));
  // One that another program has just discarded is as old as can be.
  const usedMsOf = async (name: string): Promise<number> =>
    (await lstat(join(store, name)).catch(() => undefined))?.mtimeMs ?? 0;
  const aged = await Promise.all(names.map(async (name) => ({ name, usedMs: await usedMsOf(name) })));
  const old = aged.sort((a, b) => b.usedMs - a.usedMs).slice(KEEP_NEWEST - keep.length);
  for (const { name, usedMs } of old) if (usedMs < Date.now() - KEEP_MS) await removeTemplate(store, name);
}
