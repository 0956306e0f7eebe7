import type { ByteSource } from "./byte-source.ts";
import { ChunkBlock } from "./chunk-block.ts";

/** What an upload needs of its conversation. */
export interface UploadChannel {
  /** Largest chunk the daemon takes, in bytes. */
  readonly chunkSize: number;
  /** Whether the daemon or the caller wants the upload to stop, or the daemon is gone. */
  readonly stopped: boolean;
  /** Settles when the bytes may be changed again. */
  send(bytes: Uint8Array): Promise<void>;
  /** Waits, but no longer than until the upload has to stop. */
  unlessStopped<T>(wait: Promise<T>): Promise<T | undefined>;
}

const blockSize = 256 * 1024;

/**
 * Sends content as chunks, without the mark of its end. Holds two blocks: one is filled while the other is on its way.
 * @returns whether all of it was sent
 */
export async function sendContent(channel: UploadChannel, source: ByteSource): Promise<boolean> {
  const { chunkSize } = channel;
  const chunks = Math.max(1, Math.floor(blockSize / chunkSize));
  let block = new ChunkBlock(
    chunkSize,
    source.size > 0 ? Math.min(chunks, Math.ceil(source.size / chunkSize)) : chunks,
  );
  let other: ChunkBlock | undefined;
  let onItsWay: Promise<void> | undefined;
  while (!channel.stopped) {
    const reading = source.read(block.views);
    const length = typeof reading === "number" ? reading : await channel.unlessStopped(reading);
    if (onItsWay) await onItsWay;
    if (length === undefined || channel.stopped) return false;
    if (length === 0) return true;
    onItsWay = channel.send(block.frames(length));
    // Whoever reads the replies learns of a lost connection by itself.
    onItsWay.catch(() => undefined);
    if (source.shortReadIsEnd && length < block.capacity) return true;
    [block, other] = [other ?? new ChunkBlock(chunkSize, chunks), block];
  }
  return false;
}
