import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { randomBytes, randomUuid } from "./random.ts";

test("random bytes and UUIDs", () => {
  assert.equal(randomBytes(0).length, 0);
  assert.equal(randomBytes(5000).length, 5000);
  assert.notDeepEqual(randomBytes(16), randomBytes(16));
  const uuids = new Set(Array.from({ length: 100 }, randomUuid));
  assert.equal(uuids.size, 100);
  for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("no randomness that a template would keep is used anywhere in the daemon", () => {
  const source = fileURLToPath(new URL(".", import.meta.url));
  const kept = /\b(randomUUID|getRandomValues|webcrypto|Math\.random|randomInt)\b|randomBytes[^;]*node:crypto/;
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    assert.doesNotMatch(readFileSync(join(source, name), "utf8"), kept, name);
  }
});
