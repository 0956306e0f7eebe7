import { GuestfsError } from "guestfs";
import { printable, printableJson, printableLines } from "guestfs/command-line";
import { domainState, findDomain } from "guestfs/internal";
import type { DomainChannel, DomainWindow } from "guestfs/internal";
import { askDaemon } from "./ask-daemon.ts";
import { withLibvirt } from "./domain.ts";
import type { Domain } from "./domain.ts";
import type { OffMachine } from "./guest-root.ts";
import { linesOfOff, reportOff } from "./off-status.ts";

/** What our daemon tells of itself (PROTOCOL.md, Extensions). */
interface DaemonStatus {
  readonly version?: string;
  readonly mode?: string;
  readonly policy?: unknown;
  readonly lastClient?: unknown;
}

interface Report {
  readonly machine: string;
  readonly state: string;
  readonly channels: readonly DomainChannel[];
  readonly window: DomainWindow | undefined;
  readonly daemon: DaemonStatus | "stock" | undefined;
  /** Why the machine can't be used live; empty when it can. */
  readonly problem: string;
}

/** Exit status for a machine that can't be used live. */
const notUsable = 3;

const connectOption = ({ connection: { uri } }: Domain): string => (uri === undefined ? "" : `-c ${uri} `);

async function report(domain: Domain): Promise<Report> {
  const { uuid, name, active, channels, window } = await findDomain({ ...domain, allowUuid: true });
  const state = await domainState(domain.connection, uuid);
  const seen = { machine: name, state, channels, window, daemon: undefined };
  if (channels.length === 0)
    return { ...seen, problem: `it has no channel for guestfsd\nTo fix it: guestfs-live enable ${name}` };
  if (!active)
    return {
      ...seen,
      problem: `it is off\nTo look into its disks: guestfs-live ${connectOption(domain)}status -d ${name}`,
    };
  try {
    const daemon = await askDaemon(domain, async (g) => JSON.parse(await g.extensionDaemonStatus()) as DaemonStatus);
    return { ...seen, daemon, problem: "" };
  } catch (error) {
    if (error instanceof GuestfsError) return { ...seen, problem: error.message };
    throw error;
  }
}

// What a machine says may hold anything, and goes to a terminal.
const shown = (value: unknown): string => (typeof value === "string" ? printable(value) : printableJson(value));

function linesOf({ machine, state, channels, window, daemon, problem }: Report): string[] {
  const lines = [`machine: ${machine}, ${state}`];
  if (channels.length === 0) lines.push("channel: none");
  for (const { port, path, connected } of channels) {
    const held = connected === undefined ? "" : `, ${connected ? "connected" : "disconnected"}`;
    lines.push(`channel: ${port}${held}${path === undefined ? "" : `, ${path}`}`);
  }
  if (window !== undefined) lines.push(`window:  ${window.path}`);
  if (daemon === "stock") lines.push("daemon:  not ours: a stock guestfsd, which ends with each client");
  else if (daemon !== undefined) {
    lines.push(
      `daemon:  guestfsd ${shown(daemon.version ?? "(tells no version)")}${daemon.mode === undefined ? "" : `, ${shown(daemon.mode)}`}`,
    );
    if (daemon.policy !== undefined) lines.push(`policy:  ${shown(daemon.policy)}`);
    lines.push(
      `last client: ${daemon.lastClient === undefined || daemon.lastClient === null ? "none" : shown(daemon.lastClient)}`,
    );
  }
  lines.push(problem === "" ? "live access: yes" : `live access: no: ${printableLines(problem)}`);
  return lines;
}

function print(found: { readonly problem: string }, lines: readonly string[], json: boolean): number {
  console.log(json ? printableJson(found) : lines.join("\n"));
  return found.problem === "" ? 0 : notUsable;
}

/** Prints what is there for live access to a machine. @returns the exit status */
export async function status(domain: Domain, json: boolean): Promise<number> {
  const found = await withLibvirt(() => report(domain));
  return print(found, linesOf(found), json);
}

/** The same for a machine of which only disks are known, or that is off: what is installed in it. A machine that runs is asked itself. */
export async function statusOfDisks(machine: OffMachine, json: boolean): Promise<number> {
  const { domain: name, connect } = machine;
  let channels: readonly DomainChannel[] | undefined;
  if (name !== undefined) {
    const domain = { connection: { uri: connect }, name };
    const found = await withLibvirt(() => findDomain({ ...domain, allowUuid: true }));
    if (found.active) return status(domain, json);
    ({ channels } = found);
  }
  const found = await reportOff(machine, channels);
  return print(found, linesOfOff(found), json);
}
