// npm run bench -- [local] [live] [appliance] [launch] [tree] [storage]
import { appliance } from "./appliance.ts";
import { live } from "./live.ts";
import { launch } from "./launch.ts";
import { local } from "./local.ts";
import { storage } from "./storage.ts";
import { tree } from "./tree.ts";

const suites: Readonly<Record<string, () => Promise<void>>> = { local, live, appliance, launch, tree, storage };

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(suites)) {
  const suite = suites[name];
  if (!suite) {
    console.error(`no benchmark ${name}; there are: ${Object.keys(suites).join(", ")}`);
    process.exit(2);
  }
  await suite();
}
