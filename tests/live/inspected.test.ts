// guestfish -i on a machine that is off, in a terminal.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { buildGuestImage, startTerminal } from "@guestfs/testkit";

const main = fileURLToPath(new URL("../../packages/guestfish/src/main.ts", import.meta.url));
const guestfish = `${process.execPath} --conditions=source --import ${import.meta.resolve("tsx")} ${main}`;

test("-i says at the prompt what it found and mounted", async () => {
  const { disk } = await buildGuestImage("stock");
  await using terminal = startTerminal(`${guestfish} --ro --format=raw -a ${disk} -i`);
  assert.match(
    await terminal.until("><fs> "),
    /Operating system: Debian GNU\/Linux 12 \(bookworm\)\r\n\/dev\/sda is mounted on \/\r\n\r\n/,
  );
  terminal.type("cat /etc/hostname\r");
  await terminal.until("live-guest\r\n");
  terminal.type("quit\r");
  assert.equal(await terminal.exited, 0);
});
