import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Guestfs, GuestfsPool } from "guestfs";
import {
  emulateWarm,
  inTurns,
  median,
  ownProgram,
  program,
  secondsOf,
  stockEnvironment,
  stockProgram,
} from "./program.ts";
import { secondsRow, table } from "./table.ts";

const runs = 5;
const rounds = 3;
const ownGuestfish = ownProgram("guestfish", "guestfish");
const stockGuestfish = stockProgram("guestfish");

/** A program whose standard output must be what is expected. */
async function expecting(
  expected: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const output = await program(command, args, env);
  if (output.trim() !== expected) throw new Error(`${command} gave ${output}`);
}

async function makeDisk(path: string): Promise<void> {
  writeFileSync(path, "");
  truncateSync(path, 64 * 2 ** 20);
  await using g = new Guestfs();
  await g.addDrive(path, { format: "raw" });
  await g.launch();
  await g.partDisk("/dev/sda", "mbr");
  await g.mkfs("ext4", "/dev/sda1");
  await g.mount("/dev/sda1", "/");
  await g.write("/hello", Buffer.from("hello\n"));
}

/** As on a machine where the appliance was built and nothing launched yet. */
function forgetTemplates(): void {
  const store = join(new Guestfs().getCachedir(), "appliance");
  for (const name of readdirSync(store))
    if (name.startsWith("template-")) rmSync(join(store, name), { recursive: true });
}

async function launched(image: string, drives: number, pool?: GuestfsPool): Promise<{ g: Guestfs; time: number }> {
  const g = new Guestfs(pool === undefined ? {} : { pool });
  for (let drive = 0; drive < drives; drive++) await g.addDrive(image, { format: "raw", readonly: true });
  const started = performance.now();
  await g.launch();
  return { g, time: (performance.now() - started) / 1000 };
}

async function launchTime(image: string, drives: number, pool?: GuestfsPool): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < (drives > 10 ? 2 : runs); run++) {
    await pool?.ready();
    const { g, time } = await launched(image, drives, pool);
    times.push(time);
    await g.close();
  }
  return median(times);
}

/** Memory of one more handle, in MB: what its QEMU has for itself. */
async function ownMemory(image: string): Promise<number> {
  const handles: Guestfs[] = [];
  try {
    for (let count = 0; count < 4; count++) handles.push((await launched(image, 1)).g);
    const last = handles.at(-1);
    const rollup = readFileSync(`/proc/${last?.getPid() ?? 0}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1000;
  } finally {
    await Promise.all(handles.map((g) => g.close()));
  }
}

async function atOnce(image: string, count: number): Promise<number> {
  const started = performance.now();
  const handles = await Promise.all(Array.from({ length: count }, () => launched(image, 1)));
  const time = (performance.now() - started) / 1000;
  await Promise.all(handles.map(({ g }) => g.close()));
  return time;
}

/** How launches compare with those of the stock guestfish (Debian's), both without KVM. Medians. */
export async function launch(): Promise<void> {
  await emulateWarm();
  const folder = mkdtempSync(join(tmpdir(), "guestfs-bench-"));
  const rows: string[][] = [];
  const row = (what: string, stock: number | undefined, own: number): void =>
    void rows.push(secondsRow(what, stock, own));
  try {
    const image = join(folder, "t.img");
    await makeDisk(image);
    const look = ["--ro", "-a", image, "-m", "/dev/sda1", "cat", "/hello"];
    const boot = ["--ro", "-a", image, "run"];
    if (stockGuestfish === undefined)
      console.error("there is no stock guestfish here to compare with (apt-get install guestfish)");
    const stock = async (args: readonly string[], expected: string): Promise<void> => {
      if (stockGuestfish !== undefined) await expecting(expected, stockGuestfish, args, stockEnvironment);
    };
    const own = (args: readonly string[], expected: string, env: NodeJS.ProcessEnv): Promise<void> =>
      expecting(expected, process.execPath, [ownGuestfish, ...args], env);
    const known = (time: number): number | undefined => (stockGuestfish === undefined ? undefined : time);
    const [stockLook, ownLook] = await inTurns(
      rounds,
      () => stock(look, "hello"),
      () => own(look, "hello", process.env),
    );
    row("guestfish --ro -a t.img -m /dev/sda1 cat /hello", known(stockLook), ownLook);
    const booting = { ...process.env, LIBGUESTFS_BACKEND_SETTINGS: "force_tcg:template=0" };
    const [stockBoot, ownBoot] = await inTurns(
      rounds,
      () => stock(boot, ""),
      () => own(boot, "", booting),
    );
    const stockLaunch = known(stockBoot);
    row("guestfish --ro -a t.img run, booted (no template)", stockLaunch, ownBoot);
    forgetTemplates();
    for (const which of ["first", "second"]) {
      const time = await secondsOf(() => own(boot, "", process.env));
      row(`guestfish --ro -a t.img run, the ${which} ever`, stockLaunch, time);
    }
    for (const drives of [1, 10, 100]) {
      row(
        `launch() with ${drives} drive${drives === 1 ? "" : "s"}`,
        drives === 1 ? stockLaunch : undefined,
        await launchTime(image, drives),
      );
    }
    {
      await using pool = new GuestfsPool({ size: 2 });
      row("launch() with 1 drive, from a pool", stockLaunch, await launchTime(image, 1, pool));
    }
    for (const count of [20, 100]) row(`${count} handles launched at once`, undefined, await atOnce(image, count));
    const memory = await ownMemory(image);
    console.log(table(["what", "stock", "ours", "ratio"], rows));
    console.log(`\nmemory of its own of a fourth handle's QEMU (Pss): ${memory.toFixed(0)} MB`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
