import type { HandlersOf } from "../context.ts";
import { run } from "../exec.ts";

/** F2FS. */
export const f2fs: HandlersOf<"f2fs"> = {
  f2fs_expand({ device }) {
    run(["resize.f2fs", "--", device]);
  },
};
