// @ts-check
// Holds the published packages' manifests against what is in them: publint for the manifest, attw for the types.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkPackage, Package } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packages } from "./packages.mjs";

/**
 * Problems of the types, as a program sees them that imports the package as ESM.
 * @param {import("./packages.mjs").Package} package_
 */
async function typeProblems({ folder, name, version }) {
  const built = readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.js$|\.d\.ts$/.test(path),
  );
  const files = ["package.json", ...built.map((path) => `dist/${path}`)].map((path) => [
    `/node_modules/${name}/${path}`,
    readFileSync(join(folder, path), "utf8"),
  ]);
  const result = await checkPackage(new Package(Object.fromEntries(files), name, version), {
    excludeEntrypoints: [/\.json$/],
  });
  if (!result.types) return ["has no types"];
  return result.problems
    .filter((problem) => !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind))
    .filter((problem) => problem.kind !== "CJSResolvesToESM")
    .map((problem) => JSON.stringify(problem));
}

/** @type {string[]} */
const problems = [];
for (const package_ of packages) {
  if (!package_.published) continue;
  const { messages, pkg } = await publint({ pkgDir: package_.folder, strict: true, pack: false });
  const found = messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
  if (package_.library && found.length === 0) found.push(...(await typeProblems(package_)));
  problems.push(...found.map((problem) => `${basename(package_.folder)}: ${problem}`));
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
