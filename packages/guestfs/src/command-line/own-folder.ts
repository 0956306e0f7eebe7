import { lstatSync, mkdirSync } from "node:fs";

const self = (): number => process.geteuid?.() ?? 0;

/** Whether there is a folder into which nobody but its owner (and root) can put anything. @param uid - the owner */
export function isOwnFolder(path: string, uid: number = self()): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o077) === 0;
}

/** Makes a folder for this user alone where there is none. @returns whether it is that now */
export function makeOwnFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return isOwnFolder(path);
}
