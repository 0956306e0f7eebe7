import { createWriteStream } from "node:fs";
import { open, rm, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { pipeline } from "node:stream/promises";
import type { QmpClient } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { applianceMachine } from "./machine.ts";
import type { MachineOptions } from "./machine.ts";
import { ready } from "./clone-orders.ts";
import { channelFd, MachineProcess, qmpFd } from "./machine-process.ts";
import { saveState } from "./migration.ts";
import { recordOf, templatePaths } from "./template-store.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** What a template is saved from. */
export interface TemplateSource {
  hv: string;
  machine: Omit<MachineOptions, "channelFd" | "qmpFd" | "memoryFile" | "incoming" | "words" | "slot">;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onConsole?: ((bytes: Uint8Array) => void) | undefined;
  onDebug(line: string): void;
}

/** How a template's machine differs from one that boots: the kernel's word makes the daemon wait to be cloned. */
export const templateTraits = { words: ["guestfs.template=1"], slot: true } as const;

// What a booted guest has touched of its memory, with room to spare.
const NEEDED_BYTES = 400 * 2 ** 20;
const SCRATCH_BYTES = 64 * 2 ** 20;

/** Receives what QEMU writes to a unix socket, as a file. */
async function receiveInto(path: string, use: (socketPath: string) => Promise<void>): Promise<void> {
  const folder = await makeTemporaryFolder(tmpdir());
  const server = createServer();
  // A socket's name has room for 107 bytes, and what is longer is cut. QEMU comes by way of our descriptor of the folder.
  const reach = await open(folder, "r");
  try {
    const received = new Promise<void>((resolve, reject) => {
      server.once("connection", (socket) => {
        server.close();
        pipeline(socket, createWriteStream(path, { mode: 0o600, flags: "wx", flush: true })).then(resolve, reject);
      });
      server.once("error", reject);
    });
    received.catch(() => undefined);
    const socketPath = `/proc/${process.pid}/fd/${reach.fd}/state.sock`;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, resolve);
    });
    await Promise.all([use(socketPath), received]);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
    await reach.close();
  }
}

/** @throws ApplianceError of stage `build` when a template has no room there */
export async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw new ApplianceError({
    stage: "build",
    message: `a template needs ${NEEDED_BYTES / 2 ** 20} MiB, and ${folder} has ${Math.floor((bavail * bsize) / 2 ** 20)} MiB left`,
    fix: "make room there, or set LIBGUESTFS_CACHEDIR to a folder on another filesystem",
  });
}

/** Makes a file that is all hole. */
async function makeSparse(path: string, bytes: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

/** Makes a disk with one empty partition in a table of the old kind. */
async function makeScratch(path: string): Promise<void> {
  await makeSparse(path, SCRATCH_BYTES);
  const table = Buffer.alloc(512);
  table[446 + 4] = 0x83;
  table.writeUInt32LE(2048, 446 + 8);
  table.writeUInt32LE(SCRATCH_BYTES / 512 - 2048, 446 + 12);
  table.writeUInt16LE(0xaa55, 510);
  await writeFile(path, table, { flag: "r+" });
}

/** Saves a machine that waits for orders, and ends it. */
export async function finishTemplate(
  machine: MachineProcess,
  source: TemplateSource,
  qmp: QmpClient,
  folder: string,
  name: string,
): Promise<void> {
  const { onDebug } = source;
  const { memory, state, record } = templatePaths(folder);
  await machine.wait(qmp.execute("stop"));
  await machine.wait(receiveInto(state, (path) => saveState(qmp, path)));
  onDebug("the template's state is saved");
  await machine.handOver(source.machine.accelerator, folder).stop();
  const file = await open(memory, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  onDebug("the template's memory is written");
  await writeFile(record, JSON.stringify(await recordOf(folder, name)), { mode: 0o600 });
}

/**
 * Boots a machine without drives, and saves memory and state in `folder` when its daemon waits for orders.
 *
 * @throws ApplianceError, or what went wrong with the files; QEMU has ended
 */
export async function saveTemplate(source: TemplateSource, folder: string, name: string): Promise<void> {
  await requireSpace(folder);
  const { memory, scratch } = templatePaths(folder);
  await makeSparse(memory, source.machine.memsize * 2 ** 20);
  await makeScratch(scratch);
  const machine = await MachineProcess.start({
    ...source,
    machine: applianceMachine({
      ...source.machine,
      ...templateTraits,
      memoryFile: { path: memory, share: true },
      channelFd,
      qmpFd,
    }),
  });
  try {
    const qmp = await machine.connect();
    machine.stage = "boot";
    await machine.wait(qmp.execute("cont"));
    await machine.wait(ready(machine.channel));
    source.onDebug("the template's daemon is up");
    await finishTemplate(machine, source, qmp, folder, name);
  } catch (error) {
    throw await machine.failure(error);
  }
}
