import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mount, umount } from "./native/mount.ts";

/** Mounts a file system aside from the guest's tree, hands on where, unmounts it. */
export function withTemporaryMount<T>(
  device: string,
  options: { readonly type: string; readonly flags?: number; readonly data?: string },
  use: (folder: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  try {
    mount(device, folder, options.type, options.flags ?? 0, options.data ?? "");
    try {
      return use(folder);
    } finally {
      umount(folder, 0);
    }
  } finally {
    rmdirSync(folder);
  }
}
