import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { Farewell, waitForFarewell } from "./farewell.ts";

const uid = process.geteuid?.() ?? 0;
const folder = uid === 0 ? "/run/guestmount" : `/tmp/.guestmount-${uid}`;

test("who waits hears how it ended, and no name that another user could take is in the way", async () => {
  // Where every user of the host can listen.
  const taken = createServer().listen(`\0guestmount/${process.pid}`);
  try {
    const farewell = new Farewell();
    await farewell.open();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    const heard = await waitForFarewell(process.pid);
    const ended = heard();
    await farewell.say("the disk is full");
    assert.equal(await ended, "the disk is full");
    assert.equal(existsSync(`${folder}/${process.pid}`), false);
  } finally {
    taken.close();
  }
});

test("a process without a socket of its user can't be asked", async () => {
  await assert.rejects(waitForFarewell(process.pid), { code: "ENOENT" });
  // The first process is root's, whose folder nobody else can make.
  if (uid !== 0) await assert.rejects(waitForFarewell(1));
});
