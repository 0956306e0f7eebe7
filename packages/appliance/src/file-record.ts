import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { lookAt } from "./look.ts";

/** What the files of a built folder have to look like, by their names. */
type FileRecord = Record<string, { bytes: number; sha256: string }>;

const recordName = "files.json";

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Nothing when there is none, as in what older versions built, or when it can't be read. */
function readRecord(folder: string): [name: string, file: FileRecord[string]][] {
  try {
    return Object.entries(JSON.parse(readFileSync(join(folder, recordName), "utf8")) as FileRecord);
  } catch {
    return [];
  }
}

/** Writes down sizes and digests of a folder's files, in a file of the folder. @throws an error of the filesystem */
export async function recordFiles(folder: string): Promise<void> {
  const record: FileRecord = {};
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    record[name] = { bytes: lookAt(path)?.size ?? 0, sha256: await digestOf(path) };
  }
  await writeFile(join(folder, recordName), JSON.stringify(record), { mode: 0o600 });
}

/** Whether a folder's files have the sizes that were written down. */
export function haveTheirSizes(folder: string): boolean {
  return readRecord(folder).every(([name, { bytes }]) => lookAt(join(folder, name))?.size === bytes);
}

/** Whether a folder's files have the content that was written down; reads all of it. */
export async function areIntact(folder: string): Promise<boolean> {
  if (!haveTheirSizes(folder)) return false;
  for (const [name, { sha256 }] of readRecord(folder)) {
    if ((await digestOf(join(folder, name)).catch(() => "")) !== sha256) return false;
  }
  return true;
}
