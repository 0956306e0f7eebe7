import { UnsupportedError } from "../errors.ts";
import { launch, shutdown, userCancel } from "../lifecycle.ts";
import type { LibraryFunctions } from "./library.ts";

/** Beginning and end of a conversation. */
export const lifecycleFunctions: LibraryFunctions<
  "internalGetConsoleSocket" | "killSubprocess" | "launch" | "shutdown" | "userCancel"
> = {
  internalGetConsoleSocket({ procedure }) {
    return Promise.reject(new UnsupportedError("the console comes as events of the name appliance", "", { procedure }));
  },
  killSubprocess: shutdown,
  launch,
  shutdown,
  userCancel: ({ handle }) => userCancel(handle),
};
