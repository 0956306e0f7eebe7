import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGuestImage } from "@guestfs/testkit";
import { emulateWarm, inTurns, ownProgram, program, stockEnvironment, stockProgram } from "./program.ts";
import { secondsRow, table } from "./table.ts";

const rounds = 2;

/** All files of a Debian root, listed and packed, by the programs from their start to their end, both without KVM; medians. */
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
      const stockPath = stockProgram(name);
      const [stock, own] = await inTurns(
        rounds,
        async () => {
          if (stockPath !== undefined) await program(stockPath, args, stockEnvironment);
        },
        async () => {
          output = await program(process.execPath, [ownProgram(packageName, name), ...args], process.env);
        },
      );
      const what =
        name === "virt-ls"
          ? `virt-ls -lR / (${output.trimEnd().split("\n").length} files)`
          : `guestfish tar-out / (${Math.round(statSync(archive).size / 1e6)} MB)`;
      rows.push(secondsRow(what, stockPath === undefined ? undefined : stock, own));
    }
    console.log(table(["a Debian root", "stock", "ours", "ratio"], rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
