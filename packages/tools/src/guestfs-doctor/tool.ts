import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Guestfs, LaunchError } from "guestfs";
import { printableLines } from "guestfs/command-line";
import { ApplianceError, applianceOptions, reportHost, Settings, startAppliance } from "guestfs/internal";
import type { Finding, HostReport } from "guestfs/internal";
import { parseCommandLine } from "../command-line.ts";
import type { Tool } from "../tool.ts";

const diskBytes = 16 * 2 ** 20;
const names = {
  qemu: "QEMU",
  kernel: "kernel",
  accelerator: "accelerator",
  cache: "cache",
  template: "template",
  node: "node",
} as const satisfies Record<keyof HostReport, string>;

function tell(name: string, { ok, text, fix }: Finding): void {
  process.stdout.write(`${ok ? "ok  " : "note"}  ${name.padEnd(12)} ${text}\n`);
  if (fix !== undefined) process.stdout.write(`${" ".repeat(19)}to get there: ${fix}\n`);
}

type Step = (what: string) => void;

/** Tells steps with the time since now. */
function steps(title: string): Step {
  process.stdout.write(`\n${title}\n`);
  const started = performance.now();
  return (what) => process.stdout.write(`  ${(performance.now() - started).toFixed(0).padStart(6)} ms  ${what}\n`);
}

/** Starts an appliance and tells what the library does meanwhile. */
async function start(settings: Settings, image: string): Promise<void> {
  const step = steps("an appliance, step by step");
  const appliance = await startAppliance({
    ...applianceOptions(settings),
    drives: [{ filename: image, format: "raw", readonly: true }],
    onDebug: (line) => {
      // The command line of QEMU is long, and each line has a time of its own.
      if (!line.includes(": running ")) step(line.replace(/^\d+ ms: /, "").slice(0, 200));
    },
  });
  await appliance.stop();
  step("it has ended");
}

/** What a program sees. @returns how long the launch took, in milliseconds */
async function use(image: string): Promise<number> {
  const step = steps("the same in a program");
  const started = performance.now();
  await using g = new Guestfs();
  await g.addDrive(image, { format: "raw", readonly: true });
  await g.launch();
  const launched = performance.now() - started;
  step("launch");
  await g.listDevices();
  step("first call");
  await g.close();
  step("close");
  return launched;
}

export const tool: Tool = {
  name: "guestfs-doctor",
  help: `guestfs-doctor: what this machine has for appliances, and how long a launch takes

usage: guestfs-doctor [--no-launch]

  --no-launch  only look, start nothing

The exit status is 0 when a launch works.
`,
  async run(args) {
    const { values } = parseCommandLine(args, { "no-launch": { type: "boolean" } });
    const settings = new Settings(process.env);
    settings.readEnvironment("guestfs-doctor", process.env);
    const report = await reportHost(applianceOptions(settings));
    for (const [key, name] of Object.entries(names)) tell(name, report[key as keyof HostReport]);
    if (values["no-launch"] === true) return 0;
    const folder = await mkdtemp(join(tmpdir(), "guestfs-doctor-"));
    try {
      const image = join(folder, "disk.img");
      const file = await open(image, "wx", 0o600);
      await file.truncate(diskBytes);
      await file.close();
      await start(settings, image);
      const milliseconds = await use(image);
      process.stdout.write(`\na launch takes ${(milliseconds / 1000).toFixed(2)} s\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof LaunchError) && !(error instanceof ApplianceError)) throw error;
      process.stdout.write(`\na launch does not work: ${printableLines(error.message)}\n`);
      return 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
