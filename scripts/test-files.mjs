// @ts-check
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The test files below a folder, as sorted paths.
 * @param {string} folder
 * @returns {string[]}
 */
function below(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" || entry.name === "dist" ? [] : below(path);
      return entry.name.endsWith(".test.ts") ? [path] : [];
    })
    .sort();
}

/**
 * Every test file; with `quick`, those that need neither a virtual machine (`.vm.test.ts`) nor much time (`.slow.test.ts`).
 * @param {{ quick: boolean }} choice
 * @returns {string[]}
 */
export function testFiles({ quick }) {
  const files = [...below("packages"), ...below("tests")];
  return quick ? files.filter((path) => path.startsWith("packages/") && !/\.(?:vm|slow)\.test\.ts$/.test(path)) : files;
}
