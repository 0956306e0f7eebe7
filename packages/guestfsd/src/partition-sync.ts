import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { blockName, kernelPartitions } from "./block-device.ts";
import type { KernelPartition } from "./block-device.ts";
import { DaemonError } from "./daemon-error.ts";
import { readPartitionTable } from "./native/blkid.ts";
import type { PartitionEntry } from "./native/blkid.ts";
import { changePartition, partitionCommand, rereadPartitions } from "./native/block.ts";

const rereadTries = 20;
const pauseBetweenTries = 10;
const nodePoll = 2;
const nodeWaitMax = 1000;

/** Blocks the daemon for some milliseconds. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function isSame(entry: PartitionEntry, known: KernelPartition): boolean {
  // The kernel shows only the first sectors of an extended partition.
  return entry.start === known.start && (entry.kind === "extended" || entry.size === known.size);
}

function kernelAgrees(block: string, entries: readonly PartitionEntry[]): boolean {
  const known = kernelPartitions(block);
  return (
    known.length === entries.length &&
    entries.every((entry) => known.some((partition) => partition.number === entry.number && isSame(entry, partition)))
  );
}

/**
 * Tells the kernel of each difference by itself, so that a partition that is in use and unchanged does no harm.
 * @param stale - the kernel may also know partitions that are gone
 */
function tellDifferences(fd: number, block: string, entries: readonly PartitionEntry[], stale: boolean): void {
  const known = kernelPartitions(block);
  const wanted = new Map(entries.map((entry) => [entry.number, entry]));
  const moved = ({ number, start }: KernelPartition): boolean => {
    const entry = wanted.get(number);
    return entry ? entry.start !== start : stale;
  };
  for (const { number } of known.filter(moved)) changePartition(fd, partitionCommand.remove, number);
  for (const entry of entries) {
    const partition = known.find(({ number }) => number === entry.number);
    if (partition && isSame(entry, partition)) continue;
    const command = partition && !moved(partition) ? partitionCommand.resize : partitionCommand.add;
    const size = entry.kind === "extended" ? Math.min(entry.size, 1024) : entry.size;
    changePartition(fd, command, entry.number, entry.start, size);
  }
}

function reread(fd: number): boolean {
  for (let tries = 1; ; tries++) {
    try {
      rereadPartitions(fd);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
      if (tries === rereadTries) return false;
      pause(pauseBetweenTries);
    }
  }
}

function waitForNodes(block: string): void {
  const ready = (): boolean => kernelPartitions(block).every(({ name }) => existsSync(`/dev/${name}`));
  for (let waited = 0; waited < nodeWaitMax && !ready(); waited += nodePoll) pause(nodePoll);
}

function takesPartitions(block: string): boolean {
  if (/^(?:dm-|loop|ram)/.test(block)) return false;
  return Number(readFileSync(`/sys/class/block/${block}/ext_range`, "utf8")) > 1;
}

/**
 * Makes the kernel's partitions of a drive those of its table, and waits for their nodes: tools may leave the kernel behind when
 * something had a partition open.
 * @throws DaemonError (EBUSY) when a partition that changed is in use
 */
export function syncPartitions(device: string): void {
  const block = blockName(device);
  if (existsSync(`/sys/class/block/${block}/partition`) || !takesPartitions(block)) return;
  const table = readPartitionTable(device);
  const entries = table?.partitions ?? [];
  if (!kernelAgrees(block, entries)) {
    const fd = openSync(device, constants.O_RDONLY);
    try {
      fsyncSync(fd);
      const done = reread(fd);
      // The kernel may also show what is nested in a partition, or know a table that libblkid does not.
      if (table || !done) tellDifferences(fd, block, entries, !done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
      throw new DaemonError(
        `${device}: the partition table is written, but a partition that changed is in use, so the kernel keeps the old one`,
        "EBUSY",
        { cause: error },
      );
    } finally {
      closeSync(fd);
    }
  }
  waitForNodes(block);
}
