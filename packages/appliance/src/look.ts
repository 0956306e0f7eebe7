import { readdirSync, statSync } from "node:fs";
import type { Stats } from "node:fs";

/** What is in a folder; nothing when there is none or it can't be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** stat(2); `undefined` when there is nothing or it can't be looked at. */
export function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
