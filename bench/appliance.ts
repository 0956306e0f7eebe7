import { Guestfs } from "guestfs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { secondsOf, stockEnvironment, stockProgram } from "./program.ts";
import { table } from "./table.ts";

const MiB = 1024 ** 2;
const calls = 2000;

interface Measured {
  /** seconds */
  readonly call: number;
  /** the same of a call that looks at a file */
  readonly look: number;
  /** bytes per second */
  readonly upload: number;
  readonly download: number;
}

function makeDisk(path: string, bytes: number): void {
  writeFileSync(path, "");
  truncateSync(path, bytes + 512 * MiB);
}

async function makeSource(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  const piece = Buffer.alloc(MiB, "guestfs");
  for (let written = 0; written < bytes; written += piece.length) await file.write(piece);
  await file.close();
}

/** The stock guestfish, which obeys lines and says when it has done all before. */
class StockGuestfish implements AsyncDisposable {
  // None of that name: node says so.
  readonly #process = spawn(stockProgram("guestfish") ?? "/usr/bin/guestfish", ["--no-progress-bars"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: stockEnvironment,
  });

  async obey(...lines: string[]): Promise<void> {
    this.#process.stdin.write(`${lines.join("\n")}\n!echo done\n`);
    for (let said = ""; !said.endsWith("done\n");)
      said += String(((await once(this.#process.stdout, "data")) as [Buffer])[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.stdin.end();
    await ended;
  }
}

interface Paths {
  readonly disk: string;
  readonly source: string;
  readonly back: string;
}

/** A machine with a new filesystem on its disk. */
interface Machine extends AsyncDisposable {
  calls(): Promise<unknown>;
  looks(): Promise<unknown>;
  upload(): Promise<unknown>;
  download(): Promise<unknown>;
}

async function startStock({ disk, source, back }: Paths): Promise<Machine> {
  const fish = new StockGuestfish();
  await fish.obey(`add ${disk} format:raw`, "run", "mkfs ext4 /dev/sda", "mount /dev/sda /");
  const many = (line: string): Promise<void> => fish.obey(...Array.from({ length: calls }, () => line));
  return {
    calls: () => many("ping-daemon"),
    looks: () => many("exists /lost+found"),
    upload: () => fish.obey(`upload ${source} /bulk`),
    download: () => fish.obey(`download /bulk ${back}`),
    [Symbol.asyncDispose]: () => fish[Symbol.asyncDispose](),
  };
}

async function startOwn({ disk, source, back }: Paths): Promise<Machine> {
  const g = new Guestfs({ environment: false });
  g.setBackendSettings(["force_tcg"]);
  await g.addDrive(disk, { format: "raw" });
  await g.launch();
  await g.mkfs("ext4", "/dev/sda");
  await g.mount("/dev/sda", "/");
  return {
    calls: async () => {
      for (let i = 0; i < calls; i++) await g.pingDaemon();
    },
    looks: async () => {
      for (let i = 0; i < calls; i++) await g.exists("/lost+found");
    },
    upload: () => g.upload(source, "/bulk"),
    download: () => g.download("/bulk", back),
    [Symbol.asyncDispose]: () => g[Symbol.asyncDispose](),
  };
}

/** The machines take turns, so that what else the computer does hits both; the best round counts. */
async function measure(machines: readonly Machine[], bytes: number, back: string): Promise<Measured[]> {
  const rounds: Measured[][] = machines.map(() => []);
  for (let round = 0; round < 3; round++) {
    for (const [index, machine] of machines.entries()) {
      const call = (await secondsOf(() => machine.calls())) / calls;
      const look = (await secondsOf(() => machine.looks())) / calls;
      const upload = bytes / (await secondsOf(() => machine.upload()));
      const download = bytes / (await secondsOf(() => machine.download()));
      if (statSync(back).size !== bytes) throw new Error("the download is not as long as the upload");
      rmSync(back);
      rounds[index]?.push({ call, look, upload, download });
    }
  }
  return rounds.map((runs) => ({
    call: Math.min(...runs.map((run) => run.call)),
    look: Math.min(...runs.map((run) => run.look)),
    upload: Math.max(...runs.map((run) => run.upload)),
    download: Math.max(...runs.map((run) => run.download)),
  }));
}

/**
 * Small calls and bulk data through an appliance without KVM, to a new ext4 on a raw image in memory: the stock guestfish and our
 * library in turns, best of 3 rounds. `GUESTFS_BENCH_MB` (default 1024) sets how much data.
 */
export async function appliance(): Promise<void> {
  const megabytes = Number(process.env["GUESTFS_BENCH_MB"] ?? 1024);
  const bytes = megabytes * MiB;
  const folder = mkdtempSync(join(process.env["GUESTFS_BENCH_DIR"] ?? "/dev/shm", "guestfs-bench-"));
  const paths: Paths = { disk: join(folder, "disk"), source: join(folder, "source"), back: join(folder, "back") };
  try {
    await makeSource(paths.source, bytes);
    const stockPaths = { ...paths, disk: join(folder, "stock-disk") };
    makeDisk(paths.disk, bytes);
    makeDisk(stockPaths.disk, bytes);
    await using stockMachine = await startStock(stockPaths);
    await using ownMachine = await startOwn(paths);
    const [stock, own] = (await measure([stockMachine, ownMachine], bytes, paths.back)) as [Measured, Measured];
    const milli = (seconds: number): string => `${(seconds * 1e3).toFixed(2)} ms`;
    const rate = (value: number): string => `${(value / 1e6).toFixed(0)} MB/s`;
    console.log(
      table(
        ["through an appliance, without KVM", "stock guestfish", "our library", "ratio"],
        [
          ["one small call (ping_daemon)", milli(stock.call), milli(own.call), (stock.call / own.call).toFixed(2)],
          ["one look at a file (exists)", milli(stock.look), milli(own.look), (stock.look / own.look).toFixed(2)],
          [`upload ${megabytes} MiB`, rate(stock.upload), rate(own.upload), (own.upload / stock.upload).toFixed(2)],
          [
            `download ${megabytes} MiB`,
            rate(stock.download),
            rate(own.download),
            (own.download / stock.download).toFixed(2),
          ],
        ],
      ),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
