// Bundles the daemon into one folder that the appliance and the packages carry.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = join(root, "packages/guestfsd/dist/bundle");
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
await build({
  entryPoints: [join(root, "packages/guestfsd/src/main.ts")],
  outfile: join(target, "guestfsd.mjs"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  conditions: ["source"],
  external: ["@koromix/*"],
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
  legalComments: "inline",
  logLevel: "warning",
});

// koffi's addon goes along as it is, without the part for another C library.
const native = `@koromix/koffi-${process.platform}-${process.arch}`;
const koffi = createRequire(join(root, "packages/guestfsd/package.json")).resolve("koffi");
cpSync(dirname(createRequire(koffi).resolve(native)), join(target, "node_modules", native), {
  recursive: true,
  filter: (source) => !source.includes("musl_"),
});
