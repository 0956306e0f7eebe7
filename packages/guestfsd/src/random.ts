import { closeSync, openSync, readSync } from "node:fs";

/**
 * Random bytes, from the kernel at the moment of the call. Node's own generator keeps a state in memory, and every clone of a template
 * begins with the same memory: what it gives there is the same in all of them.
 */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const fd = openSync("/dev/urandom", "r");
  try {
    for (let at = 0; at < count;) at += readSync(fd, bytes, at, count - at, null);
  } finally {
    closeSync(fd);
  }
  return bytes;
}

/** A UUID of version 4 (RFC 9562). */
export function randomUuid(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
