import type { GuestfsApi } from "../gen/api.ts";

/** A handle, as the programs use it. */
export type CommandLineHandle = GuestfsApi;
