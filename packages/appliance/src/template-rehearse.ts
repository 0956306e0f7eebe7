import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { ApplianceDrive } from "./drive.ts";
import { rehearse } from "./rehearsal.ts";
import { restore } from "./template-restore.ts";
import { finishTemplate, requireSpace } from "./template-save.ts";
import type { TemplateSource } from "./template-save.ts";
import { templatePaths } from "./template-store.ts";
import type { Template } from "./template-store.ts";

// Often enough that what they run is known to node's compiler.
const REHEARSALS = 2;
const SETTLE_MS = 300;

// Most of the memory is holes, which Node's copying would fill.
async function copySparse(from: string, to: string): Promise<void> {
  await promisify(execFile)("cp", ["--sparse=always", "--reflink=auto", "--", from, to]);
}

/**
 * Goes on from a template that was only booted, has its daemon rehearse what clones do, and saves that in `folder`: its clones need a
 * fraction of the time.
 *
 * @throws ApplianceError, or what went wrong with the files; QEMU has ended
 */
export async function rehearseTemplate(
  source: TemplateSource,
  booted: Template,
  folder: string,
  name: string,
): Promise<void> {
  await requireSpace(folder);
  const { memory, scratch } = templatePaths(folder);
  await copySparse(booted.memory, memory);
  await copySparse(booted.scratch, scratch);
  const { machine, qmp } = await restore(source, booted, { path: memory, share: true });
  try {
    machine.stage = "boot";
    await machine.wait(qmp.execute("cont"));
    // It stays, with the file system that is made on it now: clones in a pool rehearse with it.
    const drive: ApplianceDrive = { filename: scratch, format: "raw", cachemode: "unsafe" };
    for (let round = 0; round < REHEARSALS; round++) await rehearse(machine, qmp, drive, folder);
    await rehearse(machine, qmp, drive, folder, "compilation");
    source.onDebug("the template's daemon is warm");
    // What the guest's kernel has put off until later (freeing, mostly) is done once, not in every clone.
    await machine.wait(sleep(SETTLE_MS));
    await finishTemplate(machine, source, qmp, folder, name);
  } catch (error) {
    throw await machine.failure(error);
  }
}
