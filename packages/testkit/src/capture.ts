// Makes the fixtures of packages/protocol/src/golden again: the stock guestfish talks to the stock daemon, and what
// passes between them is noted. Run as root on Debian 12 with the packages guestfsd and libguestfs-tools:
//   node --conditions=source --import tsx packages/testkit/src/capture.ts [NAME...]
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { scenarios } from "./capture-scenarios.ts";
import type { Scenario } from "./capture-scenarios.ts";
import { goldenFrames } from "./golden-conversation.ts";
import type { GoldenConversation } from "./golden-conversation.ts";
import { startRecordingProxy } from "./recording-proxy.ts";
import { startStockDaemon, whyNoStockDaemon } from "./stock-daemon.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import type { TemporaryFolder } from "./temporary-folder.ts";
import { stockGuestfishHypervisor, whyNoStockGuestfish } from "./stock-guestfish.ts";

const target = fileURLToPath(new URL("../../protocol/src/golden/", import.meta.url));

function versionOf(debianPackage: string): string {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f", "${Version}", debianPackage], { encoding: "utf8" });
  return stdout;
}

function makeFolder(): TemporaryFolder {
  const made = makeTemporaryFolder("capture-");
  const folder = made.path;
  writeFileSync(join(folder, "disk.img"), Buffer.alloc(512));
  writeFileSync(join(folder, "content"), Buffer.alloc(20_000, "0123456789abcdef"));
  writeFileSync(join(folder, "empty"), "");
  symlinkSync("/dev/zero", join(folder, "zeros"));
  return made;
}

const guestfish = ["/usr/bin/guestfish", "--format=raw", "-a", "disk.img"] as const;

/** Gives each line to a guestfish at a terminal when its prompt asks for one. */
function typeLines(client: ChildProcessWithoutNullStreams, lines: readonly string[]): void {
  const left = [...lines, "quit"];
  client.stdout.setEncoding("utf8").on("data", (output: string) => {
    if (output.includes("><fs> ")) client.stdin.write(`${left.shift() ?? ""}\n`);
  });
}

async function runClient(
  scenario: Scenario,
  environment: Readonly<Record<string, string>>,
  started: (client: ChildProcessWithoutNullStreams) => void,
): Promise<void> {
  const folder = makeFolder();
  const [program, ...args] = scenario.atTerminal
    ? (["script", "-qec", guestfish.join(" "), "/dev/null"] as const)
    : guestfish;
  const client = spawn(program, args, {
    cwd: folder.path,
    env: { ...process.env, TERM: "dumb", ...environment },
    stdio: "pipe",
  });
  try {
    started(client);
    const ended = new Promise<number | null>((settle) => client.once("close", settle));
    const lines = ["run", ...scenario.script];
    if (scenario.atTerminal) typeLines(client, lines);
    else client.stdout.resume();
    if (!scenario.atTerminal) client.stdin.end(`${lines.join("\n")}\n`);
    const errors = await text(client.stderr);
    const status = await ended;
    console.log(errors.trimEnd());
    if (status !== 0) throw new Error(`${scenario.name}: guestfish ended with ${status}`);
  } finally {
    client.kill();
    folder.remove();
  }
}

async function capture(scenario: Scenario): Promise<GoldenConversation> {
  await using daemon = await startStockDaemon();
  await using proxy = await startRecordingProxy(daemon.socketPath);
  using hypervisor = stockGuestfishHypervisor({ socketPath: proxy.socketPath });
  let client: ChildProcessWithoutNullStreams | undefined;
  const prepared = scenario.prepare?.({ daemon, proxy, interrupt: () => client?.stdin.write("\x03") });
  await runClient(scenario, hypervisor.environment, (started) => (client = started));
  await prepared;
  return {
    about: scenario.about,
    client: `guestfish ${versionOf("libguestfs0")} (Debian)`,
    daemon: `guestfsd ${versionOf("guestfsd")} (Debian)`,
    script: scenario.script,
    frames: goldenFrames(proxy.passages()),
  };
}

/** One frame a line: a diff between two captures can be read. */
function fixtureText({ frames, ...rest }: GoldenConversation): string {
  const lines = frames.map((frame) => `  ${JSON.stringify(frame)}`).join(",\n");
  return `${JSON.stringify(rest, null, 1).slice(0, -2)},\n "frames": [\n${lines}\n ]\n}\n`;
}

const reason = whyNoStockDaemon() ?? whyNoStockGuestfish();
if (reason !== undefined) {
  console.error(`can't capture here: ${reason}`);
  process.exit(1);
}
const wanted = process.argv.slice(2);
mkdirSync(target, { recursive: true });
for (const scenario of scenarios) {
  if (wanted.length > 0 && !wanted.includes(scenario.name)) continue;
  const conversation = await capture(scenario);
  writeFileSync(join(target, `${scenario.name}.json`), fixtureText(conversation));
  console.log(`${scenario.name}: ${conversation.frames.length} frames`);
}
