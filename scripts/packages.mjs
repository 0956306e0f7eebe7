// @ts-check
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../packages/", import.meta.url));

/** @typedef {{ folder: string, name: string, version: string, published: boolean, library: boolean, dependencies: string[] }} Package */

/** @type {readonly Package[]} Every workspace package. */
export const packages = readdirSync(folder)
  .sort()
  .map((name) => {
    const manifest = JSON.parse(readFileSync(`${folder}${name}/package.json`, "utf8"));
    return {
      folder: `${folder}${name}`,
      name: manifest.name,
      version: manifest.version,
      published: manifest.private !== true,
      library: manifest.exports?.["."] !== undefined,
      dependencies: Object.keys(manifest.dependencies ?? {}),
    };
  });
