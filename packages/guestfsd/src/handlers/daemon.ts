import type { HandlersOf } from "../context.ts";

/** The daemon itself. */
export const daemon: Pick<HandlersOf<"daemon">, "ping_daemon"> = {
  ping_daemon() {},
};
