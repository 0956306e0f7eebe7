// @ts-check
// Stands in a bundle under the program's name: runs main.cjs beside it, and spares compiling what has been compiled before (main.compiled).
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const filename = `${__dirname}/main.cjs`;
const compiled = `${__dirname}/main.compiled`;

function readCompiled() {
  try {
    return readFileSync(compiled);
  } catch {
    return undefined;
  }
}

// What another version of node compiled, or the same with other options for V8, it does not take.
const cachedData = readCompiled();
// The bundler writes ASCII; what else is in it are comments.
const script = new Script(readFileSync(filename, "latin1"), {
  filename,
  ...(cachedData && { cachedData }),
});
// For whoever makes a bundle or an image of it: what was compiled until the program ends is kept.
if (process.env["GUESTFS_COMPILE"] === "1")
  process.on("exit", () => writeFileSync(compiled, script.createCachedData()));
const main = { exports: {} };
script.runInThisContext()(main.exports, createRequire(filename), main, filename, __dirname);
module.exports = main.exports;
