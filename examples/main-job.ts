// The main job, end to end: make a disk, look inside it, edit a file, prove the edit; then the same on a
// machine that is running, through a daemon. `npm start` runs it.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { Guestfs } from "guestfs";
import { runningMachine } from "./running-machine.ts";

const folder = await mkdtemp(join(tmpdir(), "guestfs-main-job-"));
const disk = join(folder, "disk.img");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let step = 0;
let started = Date.now();
function tell(what: string): void {
  started = Date.now();
  step += 1;
  console.log(`\n${step}. ${what}`);
}
function show(text: string): void {
  console.log(text.trimEnd().replaceAll(/^/gm, "     "));
}
function took(): void {
  show(`(${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

function assertSame(what: string, found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function opened(readonly: boolean): Promise<Guestfs> {
  const g = new Guestfs();
  await g.addDrive(disk, { format: "raw", readonly });
  await g.launch();
  return g;
}

async function makeDisk(): Promise<void> {
  tell("The machine is off: make a disk with a partition, a filesystem and files");
  await using g = new Guestfs();
  await g.diskCreate(disk, "raw", 256 * 1024 * 1024);
  await g.addDrive(disk, { format: "raw" });
  await g.launch();
  await g.partDisk("/dev/sda", "mbr");
  await g.mkfs("ext4", "/dev/sda1", { label: "root" });
  await g.mount("/dev/sda1", "/");
  await g.mkdir("/etc");
  await g.write("/etc/hostname", bytes("off.example\n"));
  await g.mkdirP("/srv/www");
  await g.upload(import.meta.filename, "/srv/www/main-job.ts");
  await g.shutdown();
  show(`${disk}: 256 MiB, one ext4 partition`);
  took();
}

async function lookAndEdit(): Promise<void> {
  tell("Look inside it, and edit a file");
  await using g = await opened(false);
  for (const [device, type] of Object.entries(await g.listFilesystems())) show(`${device}: ${type}`);
  await g.mount("/dev/sda1", "/");
  for (const path of await g.find("/")) show(`/${path}`);
  show(`/etc/hostname before: ${await g.cat("/etc/hostname")}`);
  await g.write("/etc/hostname", bytes("edited.example\n"));
  await g.shutdown();
  took();
}

async function proveEdit(): Promise<void> {
  tell("Prove it: open it again, read-only, and check the filesystem from outside");
  const before = await digest(disk);
  let offset = 0;
  {
    await using g = await opened(true);
    await g.mountRo("/dev/sda1", "/");
    const hostname = await g.cat("/etc/hostname");
    show(`/etc/hostname after: ${hostname}`);
    assertSame("/etc/hostname", hostname, "edited.example\n");
    const source = await readFile(import.meta.filename);
    const checksum = createHash("sha256").update(source).digest("hex");
    assertSame("/srv/www/main-job.ts's SHA-256", await g.checksum("sha256", "/srv/www/main-job.ts"), checksum);
    offset = (await g.partList("/dev/sda"))[0]?.part_start ?? 0;
    await g.shutdown();
  }
  assertSame("the image's SHA-256 after a read-only look", await digest(disk), before);
  show(`SHA-256 of the image, before and after the read-only look: ${before}`);
  const { stdout } = await promisify(execFile)("/sbin/e2fsck", ["-fn", `${disk}?offset=${offset}`]);
  show(
    `e2fsck -fn of the partition: ${stdout
      .trimEnd()
      .split("\n")
      .at(-1)
      ?.replace(/^.*img\S*: /, "")}`,
  );
  took();
}

async function live(): Promise<void> {
  tell("The machine is running: attach to the daemon in it and do the same");
  await using machine = await runningMachine(join(folder, "machine"));
  {
    await using g = new Guestfs();
    g.setBackend(`unix:${machine.socket}`);
    await g.launch();
    for (const path of await g.find("/")) show(`/${path}`);
    show(`/etc/hostname before: ${await g.cat("/etc/hostname")}`);
    await g.write("/etc/hostname", bytes("edited-live.example\n"));
    await g.upload(import.meta.filename, "/srv/main-job.ts");
  }
  {
    await using g = new Guestfs();
    g.setBackend(`unix:${machine.socket}`);
    await g.launch();
    const hostname = await g.cat("/etc/hostname");
    show(`/etc/hostname after, attached anew: ${hostname}`);
    assertSame("/etc/hostname", hostname, "edited-live.example\n");
  }
  assertSame(
    "the machine's own /etc/hostname",
    await readFile(join(machine.root, "etc/hostname"), "utf8"),
    "edited-live.example\n",
  );
  show("the machine itself sees the same");
  took();
}

const begun = Date.now();
try {
  await makeDisk();
  await lookAndEdit();
  await proveEdit();
  await live();
  console.log(`\nThe main job is done, off and live, in ${((Date.now() - begun) / 1000).toFixed(1)} s.`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
