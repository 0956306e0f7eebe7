import type { ApplianceDrive, ApplianceOptions, WaitingAppliance } from "@guestfs/appliance";
import type { Connection } from "../connection.ts";
import type { ProcessEnd } from "../errors.ts";
import type { Settings } from "../settings.ts";

/** Appliances that were started ahead. */
export interface ApplianceReserve {
  /** One that was started with these options, drives and callbacks aside; `undefined` when none is at hand. It belongs to the caller then. */
  take(options: ApplianceOptions): WaitingAppliance | undefined;
}

/** What reaching a daemon needs. */
export interface AttachRequest {
  readonly settings: Settings;
  readonly drives: readonly ApplianceDrive[];
  /** How long reaching a daemon on a socket may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly reserve: ApplianceReserve | undefined;
  /** Stops it. */
  readonly signal: AbortSignal;
  progress(position: number, total: number): void;
  debug(message: string): void;
  warn(message: string): void;
  /** Takes a piece of what the appliance's console says. */
  applianceSaid(text: string): void;
}

/** A daemon that was reached and has greeted. */
export interface Attachment {
  readonly connection: Connection;
  /** Process id of the hypervisor; `undefined` when there is none. */
  readonly pid: number | undefined;
  /** Whether a call, by its wire name, is not to be sent to this daemon: it might change something. */
  refuses?: (name: string) => boolean;
  /** What is known of the hypervisor's end; waits a moment for one that is just ending. */
  processEnd(): Promise<ProcessEnd>;
  /** Adds a drive while the appliance runs; `undefined` where drives can't come and go. @throws GuestfsError */
  readonly addDrive?: (drive: ApplianceDrive, target: number) => Promise<void>;
  /** Takes a drive away while the appliance runs. @throws GuestfsError */
  readonly removeDrive?: (target: number) => Promise<void>;
  /** Whether nothing that the daemon wrote is to be kept: each of its drives was added read-only. */
  keepsNothing?: () => boolean;
  /** Ends the hypervisor and removes what was made for it. The connection is over already. */
  stop(): Promise<void>;
}
