import { startLibvirt, startLiveMachine } from "@guestfs/testkit";
import type { GuestAgent, Libvirt, LiveMachine } from "@guestfs/testkit";
import { Guestfs } from "guestfs";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ownProgram, secondsOf } from "./program.ts";
import { table } from "./table.ts";

const bytes = 64 * 1024 ** 2;
// The agent is slow: less is enough to tell its speed. Nobody says which piece suits it, so it gets the best of these.
const agentBytes = 4 * 1024 ** 2;
const agentPieces: readonly number[] = [48 * 1024, 256 * 1024, 1024 ** 2];
const calls = 1000;
// The daemons outlive their clients: what the first of these calls cost is paid once.
const callsBefore = { early: 200, late: 5000 } as const;
const files = 10_000;
const runs = 2;

const guestfsLive = ownProgram("guestfs-tools", "guestfs-live");

// In the machine's memory, so that the ports are compared and not the disk.
const bulk = "/run/bulk";
const folder = "/run/many";

/** Seconds, and bytes a second. */
interface Measured {
  readonly early: number;
  readonly late: number;
  readonly upload: number;
  readonly download: number;
  /** The names and the stat of every file of a folder. */
  readonly listing: number;
}

async function times(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work();
}

/** Seconds for a small call, early in a daemon's life and later. */
async function callTimes(call: () => Promise<unknown>): Promise<{ early: number; late: number }> {
  const measure = async (): Promise<number> => (await secondsOf(() => times(calls, call))) / calls;
  await times(callsBefore.early, call);
  const early = await measure();
  await times(callsBefore.late - callsBefore.early - calls, call);
  return { early, late: await measure() };
}

function content(length: number): Buffer {
  const data = Buffer.alloc(length);
  for (let i = 0; i < length; i += 4) data.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0, i);
  return data;
}

function checkSame(sent: Buffer, received: Buffer, way: string): void {
  if (!sent.equals(received)) throw new Error(`what came back through ${way} is not what was sent`);
}

/** The names and the stat of all files, as that goes fastest with a daemon. */
async function listFiles(g: Guestfs, daemon: "own" | "stock"): Promise<number> {
  if (daemon === "stock") return (await g.lstatnslist(folder, await g.ls(folder))).filter(isThere).length;
  let count = 0;
  for await (const { stat } of g.walk(folder)) if (isThere(stat)) count++;
  return count;
}

const isThere = ({ st_nlink }: { readonly st_nlink: number }): boolean => st_nlink === 1;

async function measureLibrary(machine: LiveMachine, daemon: "own" | "stock", hostFolder: string): Promise<Measured> {
  const source = join(hostFolder, "source");
  const back = join(hostFolder, "back");
  const sent = content(bytes);
  writeFileSync(source, sent);
  await using g = new Guestfs({ environment: false });
  g.setAutosync(false);
  await g.addDomain(machine.name, { libvirturi: machine.uri, live: true });
  await g.launch();
  const call = await callTimes(() => g.pingDaemon());
  const upload = await secondsOf(() => g.upload(source, bulk));
  const download = await secondsOf(() => g.download(bulk, back));
  checkSame(sent, readFileSync(back), "the channel");
  await g.rm(bulk);
  const listing = await secondsOf(async () => {
    if ((await listFiles(g, daemon)) !== files) throw new Error("files are missing");
  });
  return { ...call, upload: bytes / upload, download: bytes / download, listing };
}

/** Bytes a second of an upload through the window that the machine has got. */
async function windowedUpload(machine: LiveMachine, hostFolder: string): Promise<number> {
  const source = join(hostFolder, "source");
  await using g = new Guestfs({ environment: false });
  g.setAutosync(false);
  await g.addDomain(machine.name, { libvirturi: machine.uri, live: true });
  await g.launch();
  const seconds = await secondsOf(() => g.upload(source, bulk));
  await g.download(bulk, `${source}.back`);
  checkSame(readFileSync(source), readFileSync(`${source}.back`), "the window");
  await g.rm(bulk);
  return bytes / seconds;
}

/** Sends a file through the agent and fetches it again, a piece at a time; gives both rates. */
async function agentTransfer(agent: GuestAgent, piece: number): Promise<{ upload: number; download: number }> {
  const sent = content(agentBytes);
  const received: Buffer[] = [];
  const withFile = async (mode: string, work: (handle: unknown) => Promise<unknown>): Promise<void> => {
    const handle = await agent.command("guest-file-open", { path: bulk, mode });
    await work(handle);
    await agent.command("guest-file-close", { handle });
  };
  const upload = await secondsOf(() =>
    withFile("w", async (handle) => {
      for (let at = 0; at < sent.length; at += piece) {
        const data = sent.subarray(at, at + piece).toString("base64");
        await agent.command("guest-file-write", { handle, "buf-b64": data });
      }
    }),
  );
  const download = await secondsOf(() =>
    withFile("r", async (handle) => {
      for (let eof = false; !eof;) {
        const answer = (await agent.command("guest-file-read", { handle, count: piece })) as {
          "buf-b64": string;
          eof: boolean;
        };
        received.push(Buffer.from(answer["buf-b64"], "base64"));
        eof = answer.eof;
      }
    }),
  );
  checkSame(sent, Buffer.concat(received), "the agent");
  return { upload: agentBytes / upload, download: agentBytes / download };
}

async function measureAgent(machine: LiveMachine): Promise<Measured> {
  const { agent } = machine;
  const call = await callTimes(() => agent.command("guest-ping"));
  const rates: { upload: number; download: number }[] = [];
  for (const piece of agentPieces) rates.push(await agentTransfer(agent, piece));
  const listing = await secondsOf(() => machine.run(`ls -lin --time-style=full-iso ${folder}`));
  await machine.run(`rm ${bulk}`);
  return {
    ...call,
    upload: Math.max(...rates.map((rate) => rate.upload)),
    download: Math.max(...rates.map((rate) => rate.download)),
    listing,
  };
}

/** The best of each value. */
function best(all: readonly Measured[]): Measured {
  return {
    // Only in its first round is a daemon young.
    early: all[0]?.early ?? Number.NaN,
    late: Math.min(...all.map((run) => run.late)),
    upload: Math.max(...all.map((run) => run.upload)),
    download: Math.max(...all.map((run) => run.download)),
    listing: Math.min(...all.map((run) => run.listing)),
  };
}

async function startMachine(libvirt: Libvirt, daemon: "own" | "stock"): Promise<LiveMachine> {
  const machine = await startLiveMachine({ daemon, name: daemon, libvirt });
  await machine.run(`mkdir ${folder}; cd ${folder}; seq -f file-%05.0f ${files} | xargs touch`);
  return machine;
}

/**
 * A running machine (Debian, emulated, libvirt): our library and daemon over a virtio-serial port, the machine's
 * qemu-guest-agent over another, and our library with the distribution's daemon in a machine of its own. They take turns;
 * best of 2 runs.
 */
export async function live(): Promise<void> {
  const hostFolder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "guestfs-bench-"));
  try {
    // Its end is theirs.
    await using libvirt = await startLibvirt();
    const ownMachine = await startMachine(libvirt, "own");
    const stockMachine = await startMachine(libvirt, "stock");
    const measured: { own: Measured; stock: Measured; agent: Measured }[] = [];
    for (let run = 0; run < runs; run++) {
      measured.push({
        own: await measureLibrary(ownMachine, "own", hostFolder),
        stock: await measureLibrary(stockMachine, "stock", hostFolder),
        agent: await measureAgent(ownMachine),
      });
    }
    await promisify(execFile)(process.execPath, [
      guestfsLive,
      "-c",
      libvirt.uri,
      "enable",
      ownMachine.name,
      "--window",
    ]);
    // The machine's kernel finds the disk a moment later.
    await ownMachine.run("until ls /dev/vdb; do sleep 1; done");
    let windowed = 0;
    for (let run = 0; run < runs; run++) windowed = Math.max(windowed, await windowedUpload(ownMachine, hostFolder));
    ownMachine.agent[Symbol.dispose]();
    stockMachine.agent[Symbol.dispose]();
    const [own, stock, agent] = [
      best(measured.map((run) => run.own)),
      best(measured.map((run) => run.stock)),
      best(measured.map((run) => run.agent)),
    ];
    const milli = (seconds: number): string => `${Number((seconds * 1e3).toPrecision(3))} ms`;
    const rate = (value: number): string => `${(value / 1e6).toPrecision(3)} MB/s`;
    const factor = (value: number): string => value.toPrecision(3);
    const slower = (label: string, of: (measured: Measured) => number): string[] => [
      label,
      ...[agent, stock, own].map((measured) => milli(of(measured))),
      ...[agent, stock].map((measured) => factor(of(measured) / of(own))),
    ];
    const faster = (label: string, of: (measured: Measured) => number): string[] => [
      label,
      ...[agent, stock, own].map((measured) => rate(of(measured))),
      ...[agent, stock].map((measured) => factor(of(own) / of(measured))),
    ];
    console.log(
      table(
        ["a running machine", "qemu-guest-agent", "stock daemon", "our daemon", "times the agent", "times the stock"],
        [
          slower(`one small call, after ${callsBefore.early}`, ({ early }) => early),
          slower(`one small call, after ${callsBefore.late.toLocaleString("en")}`, ({ late }) => late),
          faster("upload 64 MiB (agent: 4 MiB)", ({ upload }) => upload),
          faster("the same, ours with --window", (measured) => (measured === own ? windowed : measured.upload)),
          faster("download 64 MiB (agent: 4 MiB)", ({ download }) => download),
          slower("10,000 files: names and stat", ({ listing }) => listing),
        ],
      ),
    );
  } finally {
    rmSync(hostFolder, { recursive: true, force: true });
  }
}
