import { windowSerial, windowSize } from "@guestfs/protocol";
import type { XmlElement } from "./xml-element.ts";

/** The start and the end of the disk stay empty: nobody in the machine takes content for a filesystem, a volume or an array. */
const margin = 1024 * 1024;
/** Most clients that a machine is given channels, and places on the disk, for. */
export const clientsMax = 8;
/** Size of the disk, in bytes. */
export const domainWindowSize: number = margin + clientsMax * windowSize + margin;

/** A domain's disk for windows (PROTOCOL.md, "The window"): each channel has a place of its own on it. */
export interface DomainWindow {
  /** Its file on this host. */
  readonly path: string;
  /** Its name among the domain's disks, such as `vdz`. */
  readonly target: string;
}

/** Where the window of the client of channel `number` starts on the disk, in bytes; `undefined` when it has none. */
export function windowStart(number: number): number | undefined {
  return number < clientsMax ? margin + number * windowSize : undefined;
}

/** Whether an element `disk` of a domain is the disk for windows, and none of the machine's own. */
export function isWindow(disk: XmlElement): boolean {
  return disk.first("serial")?.text === windowSerial;
}

/** Reads such an element. */
export function windowOf(disk: XmlElement): DomainWindow | undefined {
  const path = disk.first("source")?.attribute("file");
  const target = disk.first("target")?.attribute("dev");
  return path === undefined || target === undefined ? undefined : { path, target };
}
