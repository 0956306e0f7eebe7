import type { HandlersOf } from "../context.ts";
import { groupIsAvailable, groupIsKnown } from "../groups.ts";

/** Calls that the library composes others of. */
export const internal: Pick<HandlersOf<"internal">, "internal_feature_available"> = {
  internal_feature_available({ group }) {
    if (!groupIsKnown(group)) return 2;
    return groupIsAvailable(group) ? 0 : 1;
  },
};
