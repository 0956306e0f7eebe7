import { constants, ftruncateSync } from "node:fs";
import type { HandlersOf } from "../context.ts";

/** Whole files in and out. */
export const transfer: Pick<HandlersOf<"transfer">, "upload" | "download"> = {
  upload({ remotefilename }, context) {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOCTTY;
    context.sysroot.withOpen(
      remotefilename,
      flags,
      (fd) => {
        ftruncateSync(fd, 0);
        context.input.copyTo(fd);
      },
      0o666,
    );
  },
  download({ remotefilename }, context) {
    context.sysroot.withOpen(remotefilename, constants.O_RDONLY, (fd) => context.output.copyFrom(fd));
  },
};
