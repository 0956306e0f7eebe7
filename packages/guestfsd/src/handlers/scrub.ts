import type { HandlersOf } from "../context.ts";
import { run } from "../exec.ts";

/** Making data hard to recover. */
export const scrub: HandlersOf<"scrub"> = {
  scrub_file({ file }, context) {
    run(["scrub", "-r", "--", context.sysroot.outside(file)], { pulse: context.pulse });
  },
  scrub_freespace({ dir }, context) {
    run(["scrub", "-X", "--", context.sysroot.outsidePlace(dir)], { pulse: context.pulse });
  },
};
