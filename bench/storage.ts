import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emulateWarm, inTurns, ownProgram, program, stockEnvironment, stockProgram } from "./program.ts";
import { secondsRow, table } from "./table.ts";

const rounds = 2;

/** What is done with a new disk: each line runs programs in the appliance. */
const script = `run
part-init /dev/sda gpt
part-add /dev/sda p 2048 400000
part-add /dev/sda p 400001 -2048
mkfs ext4 /dev/sda1
pvcreate /dev/sda2
vgcreate vg /dev/sda2
lvcreate data vg 100
lvcreate swap vg 100
mkfs ext4 /dev/vg/data
mkswap /dev/vg/swap
mount /dev/vg/data /
write /hello world
lvs
list-filesystems
umount-all
lvresize /dev/vg/data 120
e2fsck /dev/vg/data forceall:true
resize2fs /dev/vg/data
`;

/** A disk gets partitions, volumes and filesystems by the programs from their start to their end, both without KVM; medians. */
export async function storage(): Promise<void> {
  await emulateWarm();
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "guestfs-bench-"));
  try {
    const [disk, file] = [join(folder, "disk.img"), join(folder, "script")];
    writeFileSync(file, script);
    const args = ["--format=raw", "-a", disk, "-f", file];
    const onNewDisk = async (command: string, first: readonly string[], env: NodeJS.ProcessEnv): Promise<void> => {
      writeFileSync(disk, "");
      truncateSync(disk, 2 * 1024 ** 3);
      await program(command, [...first, ...args], env);
    };
    const stockPath = stockProgram("guestfish");
    const [stock, own] = await inTurns(
      rounds,
      async () => {
        if (stockPath !== undefined) await onNewDisk(stockPath, [], stockEnvironment);
      },
      () => onNewDisk(process.execPath, [ownProgram("guestfish", "guestfish")], process.env),
    );
    const calls = script.trimEnd().split("\n").length - 1;
    const row = secondsRow(`guestfish: ${calls} calls on a new disk`, stockPath === undefined ? undefined : stock, own);
    console.log(table(["partitions, volumes, filesystems", "stock", "ours", "ratio"], [row]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
