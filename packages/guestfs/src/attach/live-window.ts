import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { domainWindowSize, windowStart } from "../libvirt/domain-window.ts";
import { portNumber } from "../libvirt/domain.ts";
import { TransferWindow } from "../transfer/window.ts";
import type { LiveChannel } from "./live-domain.ts";

/** A channel's place on the domain's disk for windows. */
export interface LiveWindow {
  readonly window: TransferWindow;
  /** Closes the file, when nothing is written any more. */
  close(): Promise<void>;
}

/**
 * Opens a channel's place on the disk.
 * @param path - the disk's file
 * @returns `undefined` when the channel has none
 * @throws Error saying why it can't be used
 */
export async function openLiveWindow(path: string, { port }: LiveChannel): Promise<LiveWindow | undefined> {
  const start = windowStart(portNumber(port) ?? Number.POSITIVE_INFINITY);
  if (start === undefined) return undefined;
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile() || stats.size !== domainWindowSize) {
    await file.close();
    throw new Error(`${path} is not what guestfs-live makes for it`);
  }
  const window = new TransferWindow(file, { start, shared: true });
  return {
    window,
    async close() {
      await window.release();
      await file.close();
    },
  };
}
