import type { CallContext } from "../call-context.ts";
import type { GuestfsApi, LibraryMethod } from "../gen/api.ts";

/** How the library answers a method: the method's own arguments behind the context of the call. */
export type LibraryFunction<M extends LibraryMethod> = (
  context: CallContext,
  ...args: Parameters<GuestfsApi[M]>
) => ReturnType<GuestfsApi[M]>;

/** The functions of some methods. */
export type LibraryFunctions<M extends LibraryMethod = LibraryMethod> = {
  readonly [Method in M]: LibraryFunction<Method>;
};
