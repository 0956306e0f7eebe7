import { GuestfsError } from "guestfs";
import type { Guestfs } from "guestfs";
import { printable, printableLines } from "guestfs/command-line";
import type { DomainChannel } from "guestfs/internal";
import { describePolicy, parsePolicy, PolicyError } from "guestfsd/policy";
import { debianPackageName } from "guestfsd/debian-package";
import { nameOf, withGuestRoot } from "./guest-root.ts";
import type { OffMachine } from "./guest-root.ts";

/** A file that the machine's systemd or udev reads. */
interface SystemFile {
  readonly path: string;
  /** It is a link to /dev/null, or empty: whoever did that wants nothing to happen. */
  readonly masked: boolean;
}

/** What a machine that is off has for live access. */
export interface OffReport {
  readonly machine: string;
  readonly state: "off";
  /** Channels of the domain; absent when only disks were named. */
  readonly channels?: readonly DomainChannel[];
  readonly system: string;
  readonly daemon: { readonly package: string; readonly version: string } | undefined;
  readonly policy: string | undefined;
  readonly unit: SystemFile | undefined;
  /** The rule by which udev starts the unit. */
  readonly udev: SystemFile | undefined;
  /** The last line that the daemon wrote into the machine's journal, where that is kept. */
  readonly lastChange: { readonly time: string; readonly message: string } | undefined;
  /** Why the machine can't be used live when it runs; empty when it can. */
  readonly problem: string;
}

const stockPackage = "guestfsd";
const policyFile = "/etc/guestfsd/policy.json";
const unitName = "guestfsd-live@.service";
// The first that is there counts (systemd.unit(5), udev(7)).
const places = (rest: string): readonly string[] =>
  ["/etc", "/usr/local/lib", "/usr/lib", "/lib"].map((folder) => `${folder}/${rest}`);
const unitPlaces = places(`systemd/system/${unitName}`);
const rulePlaces = places("udev/rules.d/90-guestfsd-live.rules");

async function systemFile(g: Guestfs, paths: readonly string[]): Promise<SystemFile | undefined> {
  for (const path of paths) {
    if ((await g.isSymlink(path)) && (await g.readlink(path)) === "/dev/null") return { path, masked: true };
    if (await g.isFile(path, { followsymlinks: true })) return { path, masked: (await g.filesize(path)) === 0 };
  }
  return undefined;
}

async function packageIn(g: Guestfs, root: string): Promise<OffReport["daemon"]> {
  const installed = await g.inspectListApplications2(root);
  const found =
    installed.find(({ app2_name: name }) => name === debianPackageName) ??
    installed.find(({ app2_name: name }) => name === stockPackage);
  return found && { package: found.app2_name, version: found.app2_version };
}

/** @returns what the daemon will do; `broken`: it will not start with such a policy */
async function policyIn(g: Guestfs): Promise<{ text: string; broken: boolean }> {
  const given = await g.isFile(policyFile, { followsymlinks: true });
  const text = given ? Buffer.from(await g.readFile(policyFile)).toString() : "{}";
  try {
    return { text: describePolicy(parsePolicy(text, policyFile)), broken: false };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { text: error.message, broken: true };
  }
}

/** Asks the machine's own journalctl, which finds a program's last line without reading all others. */
async function lastChangeIn(g: Guestfs): Promise<OffReport["lastChange"]> {
  const words = ["journalctl", "-D", "/var/log/journal", "-t", "guestfsd", "-p", "notice", "-n", "1", "-o", "json"];
  try {
    const line = await g.command(words);
    const { __REALTIME_TIMESTAMP: microseconds, MESSAGE: message } = JSON.parse(line) as Record<string, string>;
    const time = new Date(Number(microseconds) / 1000).toISOString();
    return { time, message: String(message) };
  } catch (error) {
    // No journal is kept, nothing of the daemon is in it, or there is no journalctl to ask.
    if (error instanceof GuestfsError || error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function problemOf(
  machine: OffMachine,
  { daemon, unit, udev, channels }: Pick<OffReport, "daemon" | "unit" | "udev" | "channels">,
  policy: { text: string; broken: boolean } | undefined,
): string {
  const { disks, domain } = machine;
  const named = domain === undefined ? disks.map((disk) => `-a ${disk}`).join(" ") : `-d ${domain}`;
  const install = `To fix it: guestfs-live install ${named}`;
  if (daemon === undefined) return `guestfsd is not installed there\n${install}`;
  if (daemon.package !== debianPackageName)
    return `its guestfsd is not ours: a stock one, which ends with each client\n${install}`;
  if (policy?.broken === true) return `guestfsd will not start with its policy: ${printable(policy.text)}`;
  for (const [what, file] of [
    ["unit", unit],
    ["udev rule", udev],
  ] as const) {
    if (file === undefined) return `the ${what} of the package is gone\n${install}`;
    if (file.masked) return `${file.path} is masked: nothing starts guestfsd\nTo fix it: remove it in the machine`;
  }
  if (channels?.length === 0)
    return `the machine has no channel for guestfsd\nTo fix it: guestfs-live enable ${domain ?? ""}`;
  return "";
}

/**
 * Looks into the disks of a machine that is off, of which no byte changes.
 * @param channels - those of the domain, when it is one
 * @throws ToolError when no system is found on them; GuestfsError
 */
export function reportOff(machine: OffMachine, channels?: readonly DomainChannel[]): Promise<OffReport> {
  return withGuestRoot(machine, true, async (g, root) => {
    const daemon = await packageIn(g, root);
    const own = daemon?.package === debianPackageName;
    const policy = own ? await policyIn(g) : undefined;
    const seen = {
      ...(channels && { channels }),
      daemon,
      policy: policy?.text,
      unit: own ? await systemFile(g, unitPlaces) : undefined,
      udev: own ? await systemFile(g, rulePlaces) : undefined,
    };
    return {
      machine: nameOf(machine),
      state: "off",
      system: await g.inspectGetProductName(root),
      ...seen,
      lastChange: own ? await lastChangeIn(g) : undefined,
      problem: problemOf(machine, seen, policy),
    };
  });
}

/** The report for people: what a machine says may hold anything, and goes to a terminal. */
export function linesOfOff({
  machine,
  channels,
  system,
  daemon,
  policy,
  unit,
  udev,
  lastChange,
  problem,
}: OffReport): string[] {
  const shown = ({ path, masked }: SystemFile): string => `${path}${masked ? " (masked)" : ""}`;
  return [
    `machine: ${machine}, off`,
    ...(channels?.map(({ port }) => `channel: ${port}`) ?? []),
    `system:  ${printable(system)}`,
    `daemon:  ${daemon === undefined ? "none" : `guestfsd ${printable(daemon.version)}, package ${daemon.package}`}`,
    ...(policy === undefined ? [] : [`policy:  ${printable(policy)}`]),
    ...(unit === undefined ? [] : [`unit:    ${shown(unit)}`]),
    ...(udev === undefined ? [] : [`udev:    ${shown(udev)}`]),
    ...(lastChange === undefined ? [] : [`last change: ${lastChange.time}, ${printable(lastChange.message)}`]),
    problem === "" ? "live access: yes, when it runs with a channel" : `live access: no: ${printableLines(problem)}`,
  ];
}
