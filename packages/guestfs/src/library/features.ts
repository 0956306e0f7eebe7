import { UnsupportedError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";

/** Answers of `internal_feature_available`. */
const available = 0;
const unknownGroup = 2;

/** Optional groups of calls. */
export const featureFunctions: LibraryFunctions<"available" | "featureAvailable"> = {
  async available(context, groups) {
    const { procedure } = context;
    for (const group of groups) {
      const answer = await context.call("internal_feature_available", { group });
      if (answer === unknownGroup) throw new UnsupportedError(`${group}: unknown group`, group, { procedure });
      if (answer !== available) throw new UnsupportedError(`${group}: group not available`, group, { procedure });
    }
  },
  async featureAvailable(context, groups) {
    const { procedure } = context;
    for (const group of groups) {
      const answer = await context.call("internal_feature_available", { group });
      if (answer === unknownGroup) throw new UnsupportedError(`${group}: unknown group`, group, { procedure });
      if (answer !== available) return false;
    }
    return true;
  },
};
