// As many drives as there are letters for, and more.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Guestfs } from "guestfs";

const count = Number(process.env["GUESTFS_TEST_DRIVES"] ?? 200);
const folder = mkdtempSync(join(tmpdir(), "guestfs-many-"));
after(() => rmSync(folder, { recursive: true }));

const letter = (index: number): string => String.fromCharCode(97 + index);

/** `/dev/sda` for 0, `/dev/sdz` for 25, `/dev/sdaa` for 26, `/dev/sdgr` for 199. */
const deviceName = (index: number): string =>
  `/dev/sd${index < 26 ? "" : letter(Math.trunc(index / 26) - 1)}${letter(index % 26)}`;

/** Labels are of letters only. */
const label = (number: number): string => `disk${[...String(number)].map((digit) => letter(Number(digit))).join("")}`;

const content = (number: number): string => `this is drive ${number}`;

/** A disk with its number in it, and a size that no other has. */
function disk(number: number): string {
  const path = join(folder, `${number}.img`);
  writeFileSync(path, content(number));
  truncateSync(path, 1024 ** 2 + number * 512);
  return path;
}

test(`${count} drives in one launch: order, names, labels; one goes, one comes`, { timeout: 300_000 }, async (t) => {
  assert.equal(deviceName(199), "/dev/sdgr");
  await using g = new Guestfs();
  const numbers = Array.from({ length: count }, (_, number) => number);
  for (const number of numbers)
    await g.addDrive(disk(number), { format: "raw", label: label(number), readonly: number % 2 === 0 });
  const started = performance.now();
  await g.launch();
  t.diagnostic(`launched in ${((performance.now() - started) / 1000).toFixed(2)} s`);

  /** The devices are the drives that they should be, by their names and by their labels: all, or each `step`th and the last. */
  const check = async (expected: readonly number[], step: number): Promise<void> => {
    const devices = expected.map((_, index) => deviceName(index));
    assert.deepEqual(await g.listDevices(), devices);
    assert.deepEqual(
      { ...(await g.listDiskLabels()) },
      Object.fromEntries(expected.map((number, index) => [label(number), devices[index]])),
    );
    for (const [index, number] of expected.entries()) {
      const byName = index % step === 0 || index === expected.length - 1 ? [devices[index] ?? ""] : [];
      const byLabel = index % (step * 10) === 0 ? [`/dev/disk/guestfs/${label(number)}`] : [];
      for (const name of [...byName, ...byLabel]) {
        const start = Buffer.from(await g.preadDevice(name, 20, 0)).toString();
        assert.equal(start.replace(/\0.*$/s, ""), content(number), name);
      }
    }
    const last = expected.length - 1;
    assert.equal(await g.blockdevGetsize64(deviceName(last)), 1024 ** 2 + (expected[last] ?? 0) * 512);
  };
  await check(numbers, 1);

  const gone = Math.trunc(count / 2);
  await g.removeDrive(label(gone));
  await check(
    numbers.filter((number) => number !== gone),
    5,
  );
  await g.addDrive(disk(count), { format: "raw", label: label(count) });
  await check([...numbers.filter((number) => number !== gone), count], 5);

  // What is written by a name arrives in that drive.
  await g.pwriteDevice(deviceName(count - 1), Buffer.from("changed"), 0);
  assert.equal(Buffer.from(await g.preadDevice(`/dev/disk/guestfs/${label(count)}`, 7, 0)).toString(), "changed");
  await g.close();
});
