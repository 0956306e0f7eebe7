import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isOwnFolder, makeOwnFolder } from "guestfs/command-line";

/** Where the sockets of a user's mounts are; on such a socket the program behind a mounted folder says how it ended. */
function folderOf(uid: number): string {
  return uid === 0 ? "/run/guestmount" : `/tmp/.guestmount-${uid}`;
}

/** What mount(8) shows as the source of a folder that this process has mounted. */
export function mountSource(): string {
  return `guestmount:${process.pid}`;
}

/** The process behind such a source. */
export function processOf(source: string | undefined): number | undefined {
  const pid = /^guestmount:(\d+)$/.exec(source ?? "")?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Lets others wait for the end of this process. */
export class Farewell {
  readonly #waiting = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#waiting.add(socket);
    socket.on("error", () => undefined).on("close", () => this.#waiting.delete(socket));
  });

  /** @throws Error when another user is in the way: nobody can wait then */
  async open(): Promise<void> {
    const folder = folderOf(process.geteuid?.() ?? 0);
    if (!makeOwnFolder(folder)) throw new Error(`${folder} is no folder of yours alone`);
    const path = join(folder, String(process.pid));
    // What a process of the same number left that was killed.
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(path, resolve);
    });
  }

  /** @param error - what went wrong, `""` when all is on the disks */
  async say(error: string): Promise<void> {
    await Promise.all(
      [...this.#waiting].map(
        (socket) => new Promise<void>((resolve) => socket.end(error === "" ? "ok" : error, resolve)),
      ),
    );
    this.#server.close();
  }
}

/** How long a process that has said farewell may take to be gone, in milliseconds. */
const lastSteps = 2000;

async function gone(pid: number): Promise<void> {
  for (let waited = 0; waited < lastSteps && existsSync(`/proc/${pid}`); waited += 5) await delay(5);
}

/**
 * Waits for the end of the process behind a mounted folder. Ask before unmounting.
 * @returns how it ended: `""` when all was well; rejects when that process can't be asked
 */
export async function waitForFarewell(pid: number): Promise<() => Promise<string>> {
  const { uid } = await stat(`/proc/${pid}`);
  const folder = folderOf(uid);
  if (!isOwnFolder(folder, uid)) throw new Error(`${folder} is no folder of its user alone`);
  const socket = connect(join(folder, String(pid)));
  let said = "";
  socket.setEncoding("utf8").on("data", (text: string) => (said += text));
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return async () => {
    await ended;
    await gone(pid);
    if (said === "ok") return "";
    return said === "" ? "guestmount ended without a word: what was written last may not be on the disks" : said;
  };
}
