import assert from "node:assert/strict";
import { test } from "node:test";
import { parseXfsGeometry } from "./xfs-geometry.ts";

const text = `meta-data=/dev/sda1              isize=512    agcount=4, agsize=131064 blks
         =                       sectsz=512   attr=2, projid32bit=1
data     =                       bsize=4096   blocks=524256, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1
log      =internal log           bsize=4096   blocks=16384, version=2
         =                       sectsz=512   sunit=0 blks, lazy-count=1
realtime =none                   extsz=4096   blocks=0, rtextents=0
`;

test("sections and their values", () => {
  const values = parseXfsGeometry(text);
  assert.equal(values["meta-data"], "/dev/sda1");
  assert.equal(values["meta-data.agsize"], "131064");
  assert.equal(values["meta-data.attr"], "2");
  assert.equal(values["data"], "");
  assert.equal(values["data.blocks"], "524256");
  assert.equal(values["naming"], "version 2");
  assert.equal(values["log"], "internal log");
  assert.equal(values["log.lazy-count"], "1");
  assert.equal(values["realtime.rtextents"], "0");
  assert.equal(values["log.sectsz"], "512");
});
