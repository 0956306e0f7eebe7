// @ts-check
// After `npm ci` and `npm install`: builds, where the compiler was installed too. Sources that don't compile are no
// reason to have no packages.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "./setup/build.mjs";

if (existsSync(fileURLToPath(new URL("../node_modules/typescript", import.meta.url)))) {
  try {
    await build();
  } catch (error) {
    console.error(`prepare: not built: ${error instanceof Error ? error.message : String(error)}`);
  }
}
