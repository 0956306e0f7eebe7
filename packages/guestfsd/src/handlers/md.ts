import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { basename } from "node:path";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { DeviceNames } from "../device.ts";
import { run } from "../exec.ts";
import { pause } from "../partition-sync.ts";

const mapMax = 64;

/** Puts `missing` where the bitmap says so; the devices fill the other places. */
export function placeMembers(devices: readonly string[], missing: bigint): string[] {
  const members: string[] = [];
  let next = 0;
  for (let bit = 0; bit < mapMax; bit++) {
    const left = missing >> BigInt(bit);
    if (next === devices.length && left === 0n) break;
    if ((left & 1n) === 1n) members.push("missing");
    else if (next < devices.length) members.push(devices[next++] as string);
    else throw new DaemonError("the bitmap of missing devices goes beyond the end of the array");
  }
  return members;
}

function countBits(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

/** The member devices in a line of /proc/mdstat: `sda1[0](S)`. */
export function parseMembers(line: string): { device: string; index: number; flags: string }[] {
  return [...line.matchAll(/(?<=\s)([^\s[\]()]+)\[(\d+)\]((?:\([A-Z]\))*)/g)].map((match) => ({
    device: match[1] ?? "",
    index: Number(match[2]),
    flags: (match[3] ?? "").replaceAll(/[()]/g, ""),
  }));
}

const goneWaitMax = 500;
const goneWaitStep = 2;

/** Removes the names of an array that is no more, as udev would: mdadm made them itself. */
function forgetArray(array: string): void {
  for (let waited = 0; existsSync(`/sys/block/${array}`) && waited < goneWaitMax; waited += goneWaitStep)
    pause(goneWaitStep);
  if (existsSync(`/sys/block/${array}`)) return;
  rmSync(`/dev/${array}`, { force: true });
  if (!existsSync("/dev/md")) return;
  for (const name of readdirSync("/dev/md")) {
    const link = `/dev/md/${name}`;
    if (lstatSync(link).isSymbolicLink() && basename(readlinkSync(link)) === array) rmSync(link);
  }
}

/** Linux software RAID. */
export const md: HandlersOf<"md"> = {
  md_create({ name, devices, missingbitmap, nrdevices, spare, chunk, level }) {
    const missing = BigInt.asUintN(mapMax, BigInt(missingbitmap ?? 0));
    const spares = spare ?? 0;
    if (spares < 0) throw new DaemonError(`spare: ${spares} is negative`);
    const total = devices.length + countBits(missing);
    const active = nrdevices ?? total - spares;
    if (active < 1) throw new DaemonError(`nrdevices: an array of ${active} devices can't be`);
    if (active + spares !== total)
      throw new DaemonError(
        `${active} devices and ${spares} spares are wanted, but ${total} are given, missing ones counted`,
      );
    const options = ["--level", level ?? "raid1", "--raid-devices", String(active)];
    if (spares > 0) options.push("--spare-devices", String(spares));
    if (chunk !== undefined) {
      if (chunk <= 0 || chunk % 1024 !== 0) throw new DaemonError(`chunk: ${chunk} is not a multiple of 1024`);
      options.push("--chunk", String(chunk / 1024));
    }
    // With `--run` and this metadata nothing is asked.
    if (name === "" || name.startsWith("-")) throw new DaemonError(`${name}: not a name for an array`);
    run(["mdadm", "--create", name, "--run", ...options, ...placeMembers(devices, missing)]);
  },
  md_stop({ md }) {
    const array = basename(realpathSync(md));
    run(["mdadm", "--stop", md]);
    forgetArray(array);
  },
  md_detail({ md }) {
    const { stdout } = run(["mdadm", "--detail", "--export", md]);
    const details: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const line of stdout.toString("utf8").split("\n")) {
      const match = /^MD_([^=]+)=(.*)$/.exec(line);
      if (match) details[(match[1] ?? "").toLowerCase()] = match[2] ?? "";
    }
    return details;
  },
  md_stat({ md }, context) {
    const array = realpathSync(md).replace(/^\/dev\//, "");
    const names = new DeviceNames(context.state.options.appliance);
    const line = readFileSync("/proc/mdstat", "utf8")
      .split("\n")
      .find((candidate) => candidate.startsWith(`${array} :`));
    if (line === undefined) throw new DaemonError(`${md}: not an active array`, "ENOENT");
    return parseMembers(line).map(({ device, index, flags }) => ({
      mdstat_device: names.toClient(`/dev/${device}`),
      mdstat_index: index,
      mdstat_flags: flags,
    }));
  },
  list_md_devices() {
    return readdirSync("/sys/block")
      .filter((name) => name.startsWith("md") && existsSync(`/sys/block/${name}/md`))
      .map((name) => `/dev/${name}`)
      .toSorted();
  },
};
