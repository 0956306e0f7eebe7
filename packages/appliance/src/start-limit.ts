import { ApplianceError, cancelled } from "./appliance-error.ts";
import type { ConsoleTail } from "./console-tail.ts";

/** Rejects when the time (if there is a limit) is up or the caller's signal is aborted, whichever comes first. */
export class StartLimit {
  readonly reached: Promise<never>;
  readonly end: () => void;

  constructor(timeoutMs: number | undefined, signal: AbortSignal | undefined, tail: ConsoleTail) {
    let end = (): void => undefined;
    this.reached = new Promise((_, reject) => {
      const late = (): void => {
        const message = `no greeting from the appliance's daemon in ${(timeoutMs ?? 0) / 1000} s`;
        reject(new ApplianceError({ stage: "boot", message, evidence: tail.text() }));
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      const onAbort = (): void => reject(cancelled(signal?.reason));
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort);
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
    });
    this.reached.catch(() => undefined);
    this.end = end;
  }
}
