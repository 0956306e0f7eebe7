/** Where a start failed, in the order of the stages. */
export type ApplianceStage =
  /** The host lacks something: a program, a kernel, a readable file, descriptors to start QEMU with. */
  | "host"
  /** Building the appliance failed. */
  | "build"
  /** A drive can't be used: missing, unreadable, refused, wrong option. */
  | "drive"
  /** QEMU stopped at once. */
  | "qemu"
  /** The guest started but no daemon greeted: a panic, a timeout, an exit. */
  | "boot"
  /** The caller's signal was aborted. */
  | "cancelled";

/** What {@link ApplianceError} is made from. */
export interface ApplianceErrorDetails {
  stage: ApplianceStage;
  /** One line, no full stop. */
  message: string;
  /** What was seen: a tail of the console, standard error, an exit code. May have several lines. */
  evidence?: string;
  /** What to do about it: a sentence, or a command to type. */
  fix?: string;
  cause?: unknown;
}

/** The appliance could not be built or started. `message` holds cause, evidence and fix, fit to be printed as it is. */
export class ApplianceError extends Error {
  override readonly name: string = "ApplianceError";
  /** Where it failed. */
  readonly stage: ApplianceStage;
  /** The cause in one line, without evidence and fix. */
  readonly summary: string;
  /** What was seen (console tail, standard error, exit code); empty when there is nothing. */
  readonly evidence: string;
  /** What to do about it; empty when nothing is known. */
  readonly fix: string;

  constructor(details: ApplianceErrorDetails) {
    const { stage, message, evidence = "", fix = "", cause } = details;
    const parts = [message];
    if (evidence !== "") parts.push(evidence);
    if (fix !== "") parts.push(`To fix it: ${fix}`);
    super(parts.join("\n"), cause === undefined ? undefined : { cause });
    this.stage = stage;
    this.summary = message;
    this.evidence = evidence;
    this.fix = fix;
  }
}

/** What a start ends with when the caller's signal was aborted. */
export function cancelled(reason: unknown): ApplianceError {
  return new ApplianceError({ stage: "cancelled", message: "starting the appliance was cancelled", cause: reason });
}

/** @throws ApplianceError of stage `cancelled` when the caller's signal was aborted */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(signal.reason);
}

/** What an error says; of what was thrown and is none, its text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
