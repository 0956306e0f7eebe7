// @ts-check
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../project.mjs";
import { run } from "./run.mjs";

const stampFile = join(root, ".cache/build-stamp");

/**
 * Every file the build reads, with size and time.
 * @param {string} folder
 * @returns {string[]}
 */
function state(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "dist" || entry.name === "node_modules" ? [] : state(path);
    if (!/\.(ts|mjs|cjs|json)$/.test(entry.name)) return [];
    const { size, mtimeMs } = statSync(join(root, path));
    return [`${path} ${size} ${mtimeMs}`];
  });
}

function digest() {
  const files = [...state("packages"), ...state("scripts")];
  for (const name of ["tsconfig.json", "tsconfig.base.json", "package-lock.json"])
    files.push(readFileSync(join(root, name), "utf8"));
  return createHash("sha256").update(files.sort().join("\n")).digest("hex");
}

/** Compiles the packages, and bundles the daemon and the programs, when a source changed since the last time. */
export async function build() {
  const now = digest();
  const built = existsSync(stampFile) && existsSync(join(root, "packages/guestfsd/dist/bundle/guestfsd.cjs"));
  if (built && readFileSync(stampFile, "utf8") === now) return;
  await run(["tsc", "-b"]);
  await run([process.execPath, "scripts/bundle.mjs"]);
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(stampFile, now);
}
