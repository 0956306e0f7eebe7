// @ts-check
import { statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../project.mjs";
import { run } from "./run.mjs";

/** @param {string} path */
function changed(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs `npm ci` when node_modules is missing or older than the lock file. */
export async function installNpmPackages() {
  if (changed("node_modules/.package-lock.json") >= changed("package-lock.json")) return;
  // No package here needs its install script: their binaries come as packages of their own.
  await run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
}
