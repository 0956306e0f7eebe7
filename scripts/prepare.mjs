// @ts-check
// After `npm ci`: builds, where the compiler was installed too.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "./setup/build.mjs";

if (existsSync(fileURLToPath(new URL("../node_modules/typescript", import.meta.url)))) await build();
