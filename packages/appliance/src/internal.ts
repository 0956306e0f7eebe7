// For the test kit, which boots machines of its own with this host's kernel.
export { buildFolder, removeDrafts } from "./build-folder.ts";
export { acquireCacheLock } from "./cache-lock.ts";
export { findSource } from "./host-source.ts";
export type { HostSource } from "./host-source.ts";
export { initialRamDisk } from "./initial-ram-disk.ts";
export { decompressKernel } from "./kernel-image.ts";
export { copyModules } from "./system-image.ts";
// For the library.
export { readImageHeader } from "@guestfs/qemu";
export { makeTemporaryFolder } from "./temporary-folder.ts";
