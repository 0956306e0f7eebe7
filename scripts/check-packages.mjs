// @ts-check
// Holds the published packages' manifests against what is in them.
import { basename } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packages } from "./packages.mjs";

let found = 0;
for (const { folder, published } of packages) {
  if (!published) continue;
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true, pack: false });
  for (const message of messages) {
    found += 1;
    console.error(`${basename(folder)}: ${formatMessage(message, pkg, { color: false })}`);
  }
}
process.exitCode = found === 0 ? 0 : 1;
