import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "@guestfs/protocol";
import type { Xattr } from "@guestfs/schema";
import type { GuestfsApi } from "../gen/api.ts";
import { FolderListing } from "./folder-listing.ts";

const entry = (attrname: string, attrval: string): Xattr => ({ attrname, attrval: Buffer.from(attrval) });

/** The listing of a folder with the files a and b, whose attributes are told like this. */
function listing(...list: Xattr[]): Promise<FolderListing> {
  const g = { ls: () => Promise.resolve(["a", "b"]), lxattrlist: () => Promise.resolve(list) };
  return FolderListing.open(g as unknown as GuestfsApi, "/", new AbortController().signal);
}

test("attributes of each file", async () => {
  const found = await listing(entry("", "2"), entry("user.x", "1"), entry("user.y", "2"), entry("", ""));
  assert.deepEqual([...((await found.attributes("a"))?.keys() ?? [])], ["user.x", "user.y"]);
  assert.equal((await found.attributes("b"))?.size, 0);
  assert.equal(await found.attributes("c"), undefined);
});

for (const count of ["-1", "3", "1e9", "0x1", " 1", "1.5", "-0", "a"])
  test(`${JSON.stringify(count)} attributes are none`, async () => {
    const found = await listing(entry("", count), entry("user.x", "1"));
    await assert.rejects(found.attributes("a"), ProtocolError);
  });
