import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGuestImage } from "@guestfs/testkit";
import { emulateWarm, ownProgram, program, stockEnvironment, stockProgram, timed } from "./program.ts";
import { table } from "./table.ts";

/** All files of a Debian root, listed and packed, by the programs from their start to their end, both without KVM. */
export async function tree(): Promise<void> {
  await emulateWarm();
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "guestfs-bench-"));
  try {
    const { disk } = await buildGuestImage("stock");
    const machine = ["--format=raw", "-a", disk, "-m", "/dev/sda"];
    const archive = join(folder, "root.tar");
    const work = [
      { name: "virt-ls", package: "guestfs-tools", args: [...machine, "-lR", "/"] },
      { name: "guestfish", package: "guestfish", args: ["--ro", ...machine, "tar-out", "/", archive] },
    ];
    const rows: string[][] = [];
    for (const { name, package: packageName, args } of work) {
      let output = "";
      const own = await timed(3, async () => {
        output = await program(process.execPath, [ownProgram(packageName, name), ...args], process.env);
      });
      const what =
        name === "virt-ls"
          ? `virt-ls -lR / (${output.trimEnd().split("\n").length} files)`
          : `guestfish tar-out / (${Math.round(statSync(archive).size / 1e6)} MB)`;
      const stockPath = stockProgram(name);
      const stock =
        stockPath === undefined ? Number.NaN : await timed(1, () => program(stockPath, args, stockEnvironment));
      rows.push([what, `${stock.toFixed(1)} s`, `${own.toFixed(1)} s`, (stock / own).toFixed(1)]);
    }
    console.log(table(["a Debian root", "stock", "ours", "ratio"], rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
