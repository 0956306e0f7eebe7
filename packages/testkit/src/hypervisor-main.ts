// The program that the stock guestfish starts as its QEMU. It answers the questions asked of a QEMU, then joins
// the channel that guestfish listens on to a daemon. stock-guestfish.ts compiles it into a temporary folder,
// so it must import nothing of the project.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** Written by stock-guestfish.ts: the daemon to start, or the socket of one that runs. */
type Target = { readonly command: readonly string[] } | { readonly socketPath: string };

const [targetFile = "", ...options] = process.argv.slice(2);
const line = options.join(" ");

function answerQmp(): void {
  const write = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  write({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 }, package: "" }, capabilities: [] } });
  const answers: Record<string, unknown> = { "query-kvm": { enabled: false, present: false }, "query-qmp-schema": [] };
  createInterface({ input: process.stdin }).on("line", (text) => {
    const { execute } = JSON.parse(text) as { execute: string };
    write({ return: answers[execute] ?? {} });
    if (execute === "quit") process.exit(0);
  });
}

/** Starts the daemon with the channel as descriptor 3. */
function startDaemon(channelPath: string, command: readonly string[]): void {
  const channel = connect(channelPath).pause();
  channel.once("connect", () => {
    // Node gives back a blocking descriptor only as 0, 1 or 2, and a C daemon wants a blocking one: so the
    // shell moves it from 0 to 3.
    const child = spawn("sh", ["-c", 'exec "$@" -c fd:3 3<&0 0</dev/null', "sh", ...command], {
      stdio: [channel, "inherit", "inherit"],
    });
    channel.destroy();
    let asked = false;
    process.on("SIGTERM", () => {
      asked = true;
      child.kill("SIGTERM");
    });
    // guestfish takes any other status than 0 after its own SIGTERM for a crash.
    child.once("exit", (code) => process.exit(asked ? 0 : (code ?? 1)));
  });
}

function joinDaemon(channelPath: string, socketPath: string): void {
  const daemon = connect(socketPath);
  const channel = connect(channelPath);
  daemon.pipe(channel).pipe(daemon);
  for (const socket of [daemon, channel]) socket.on("error", () => process.exit(1));
  channel.on("close", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
}

const channelPath = /socket,path=(\S*guestfsd\.sock),id=channel0/.exec(line)?.[1];
if (options.includes("-version")) {
  console.log("QEMU emulator version 7.2.0");
} else if (options.includes("-help")) {
  console.log("-device -chardev -nodefaults");
} else if (line.includes("qmp") && line.includes("stdio")) {
  answerQmp();
} else if (channelPath !== undefined) {
  const target = JSON.parse(readFileSync(targetFile, "utf8")) as Target;
  if ("command" in target) startDaemon(channelPath, target.command);
  else joinDaemon(channelPath, target.socketPath);
}
