import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLineError } from "./command-line-error.ts";
import { parseLibconfig } from "./libconfig.ts";
import { readOnlyByDefault } from "./read-only-by-default.ts";

test("libconfig: the settings that are truth values", () => {
  const values: [string, boolean | undefined][] = [
    ["", undefined],
    ["read_only = true", true],
    ["read_only: tRUe,", true],
    ["read_only = false;", false],
    ["READ_ONLY = true;", undefined],
    ["read_only = 1;", undefined],
    ['read_only = "true";', undefined],
    ['# c\n// d\n/* e\n */ x-y*z = 3; read_only = True; s = "x" "y\\"";', true],
    ['other = ( 1, -2.5, .5, "a" ); g = { read_only = true; };', undefined],
    ["g : { x = [1,2]; h = 0xffL } read_only = true", true],
  ];
  for (const [text, value] of values) assert.equal(parseLibconfig(text, "f").get("read_only"), value, text);
  const wrong = ["read_only", "read_only = ;", "read_only = yes;", "-x=1;", "x.y = 1;", "x = 1; }", "x = [1", 'x = "'];
  for (const text of [...wrong, "x = {", '@include "x"', "x = 1; x = 2;"])
    assert.throws(() => parseLibconfig(`\n${text}`, "f"), /^CommandLineError: f: line 2: /, text);
});

test("the file that counts more decides", () => {
  const folder = mkdtempSync(join(tmpdir(), "tools-conf-"));
  try {
    const write = (text: string, ...names: string[]): void => {
      mkdirSync(join(folder, ...names.slice(0, -1)), { recursive: true });
      writeFileSync(join(folder, ...names), text);
    };
    const conf = ["libguestfs", "libguestfs-tools.conf"];
    const environment = { HOME: folder, XDG_CONFIG_DIRS: `${folder}/a:${folder}/b` };
    write("read_only = true;", "b", ...conf);
    assert.equal(readOnlyByDefault(environment), true);
    write("read_only = false;", "a", ...conf);
    assert.equal(readOnlyByDefault(environment), false);
    write("read_only = true;", ".config", ...conf);
    assert.equal(readOnlyByDefault(environment), true);
    assert.equal(readOnlyByDefault({ ...environment, XDG_CONFIG_HOME: `${folder}/a` }), false);
    write("read_only = false;", ".libguestfs-tools.rc");
    assert.equal(readOnlyByDefault(environment), false);
    write("read_only = no;", "b", ...conf);
    assert.throws(() => readOnlyByDefault(environment), CommandLineError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
