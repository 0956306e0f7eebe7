import { UnsupportedError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";

/** Beginning and end of a conversation. */
export const lifecycleFunctions: LibraryFunctions<
  "internalGetConsoleSocket" | "killSubprocess" | "launch" | "shutdown" | "userCancel"
> = {
  internalGetConsoleSocket({ procedure }) {
    return Promise.reject(new UnsupportedError("the console comes as events of the name appliance", "", { procedure }));
  },
  killSubprocess: (context) => context.handle.shutdown(context),
  launch: (context) => context.handle.launch(context),
  shutdown: (context) => context.handle.shutdown(context),
  userCancel: ({ handle }) => handle.userCancel(),
};
