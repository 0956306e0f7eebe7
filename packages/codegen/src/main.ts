import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { events, groups, procedures, structs } from "@guestfs/schema";
import { clientApi } from "./api.ts";
import { procedureMap } from "./procedure-map.ts";
import { reference } from "./reference.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const referenceFolder = join(root, "docs/reference");

const outputs = new Map<string, string>([
  [join(root, "packages/schema/src/gen/procedure-map.ts"), procedureMap()],
  [join(root, "packages/schema/schema.json"), `${JSON.stringify({ procedures, structs, groups, events }, null, 1)}\n`],
  [join(root, "packages/guestfs/src/gen/api.ts"), clientApi()],
  ...[...reference()].map(([name, text]): [string, string] => [join(referenceFolder, name), text]),
]);

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const stale = [...outputs].filter(([path, text]) => contentOf(path) !== text).map(([path]) => path);
if (process.argv.includes("--check")) {
  const extra = readdirSync(referenceFolder)
    .map((name) => join(referenceFolder, name))
    .filter((path) => !outputs.has(path));
  for (const path of [...stale, ...extra]) console.error(`out of date: ${relative(root, path)} (npm run generate)`);
  process.exitCode = stale.length + extra.length === 0 ? 0 : 1;
} else {
  for (const path of stale) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputs.get(path) ?? "");
    console.log(`wrote ${relative(root, path)}`);
  }
}
