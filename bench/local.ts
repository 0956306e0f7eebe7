import { startOwnDaemon, startStockDaemon } from "@guestfs/testkit";
import { Guestfs } from "guestfs";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secondsOf } from "./program.ts";
import { table } from "./table.ts";

const bytes = 1024 ** 3;
const calls = 20_000;

interface Measured {
  readonly call: number;
  readonly upload: number;
  readonly download: number;
}

async function makeFile(path: string): Promise<void> {
  const file = await open(path, "w");
  const piece = Buffer.alloc(1024 * 1024, "guestfs");
  for (let written = 0; written < bytes; written += piece.length) await file.write(piece);
  await file.close();
}

async function measure(socketPath: string, folder: string): Promise<Measured> {
  const source = join(folder, "source");
  const back = join(folder, "back");
  await using g = new Guestfs({ environment: false });
  g.setAutosync(false);
  g.setBackend(`unix:${socketPath}`);
  await g.launch();
  for (let i = 0; i < 2000; i++) await g.pingDaemon();
  const call = await secondsOf(async () => {
    for (let i = 0; i < calls; i++) await g.pingDaemon();
  });
  const upload = await secondsOf(() => g.upload(source, "/bulk"));
  const download = await secondsOf(() => g.download("/bulk", back));
  if (statSync(back).size !== bytes) throw new Error("the download is not as long as the upload");
  await g.rm("/bulk");
  rmSync(back);
  return { call: call / calls, upload: bytes / upload, download: bytes / download };
}

async function best(start: () => Promise<AsyncDisposable & { socketPath: string }>, folder: string): Promise<Measured> {
  const runs: Measured[] = [];
  for (let run = 0; run < 3; run++) {
    await using daemon = await start();
    runs.push(await measure(daemon.socketPath, folder));
  }
  return {
    call: Math.min(...runs.map((run) => run.call)),
    upload: Math.max(...runs.map((run) => run.upload)),
    download: Math.max(...runs.map((run) => run.download)),
  };
}

/** Our library over a unix socket on this machine: to the stock daemon and to ours. Best of 3 runs, files in memory. */
export async function local(): Promise<void> {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(parent, "guestfs-bench-"));
  try {
    await makeFile(join(folder, "source"));
    const stock = await best(() => startStockDaemon(), folder);
    const own = await best(() => startOwnDaemon({ parent }), folder);
    const micro = (seconds: number): string => `${(seconds * 1e6).toFixed(0)} µs`;
    const rate = (value: number): string => `${(value / 1e6).toFixed(0)} MB/s`;
    console.log(
      table(
        ["our library over a unix socket", "stock daemon", "our daemon", "ratio"],
        [
          ["one small call (ping_daemon)", micro(stock.call), micro(own.call), (stock.call / own.call).toFixed(2)],
          ["upload 1 GiB", rate(stock.upload), rate(own.upload), (own.upload / stock.upload).toFixed(2)],
          ["download 1 GiB", rate(stock.download), rate(own.download), (own.download / stock.download).toFixed(2)],
        ],
      ),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
