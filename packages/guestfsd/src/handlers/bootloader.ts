import { statSync } from "node:fs";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";

/** Boot loaders. */
export const bootloader: HandlersOf<"bootloader"> = {
  extlinux({ directory }, context) {
    const folder = context.sysroot.outside(directory);
    if (!statSync(folder).isDirectory()) throw new DaemonError(`${directory}: not a directory`, "ENOTDIR");
    run(["extlinux", "--install", folder]);
  },
  syslinux({ device, directory }) {
    run(["syslinux", "--install", "--force", ...(directory === undefined ? [] : ["--directory", directory]), device]);
  },
  grub_install({ root, device }, context) {
    run(["grub-install", `--root-directory=${context.sysroot.outside(root)}`, device]);
  },
};
