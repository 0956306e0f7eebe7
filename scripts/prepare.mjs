// @ts-check
// After `npm ci` and `npm install`: builds, where the compiler was installed too. Sources that don't compile are no
// reason to have no packages.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./project.mjs";
import { build } from "./setup/build.mjs";

if (existsSync(join(root, "node_modules/typescript"))) {
  try {
    await build();
  } catch (error) {
    console.error(`prepare: not built: ${error instanceof Error ? error.message : String(error)}`);
  }
}
