// @ts-check
// Bundles the daemon, which the appliance and the packages carry as one folder, and the programs, whose many modules take longer to load
// than what most of them do.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** @satisfies {import("esbuild").BuildOptions} */
const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  conditions: ["source"],
  legalComments: "inline",
  logLevel: "warning",
};

/** @satisfies {import("esbuild").BuildOptions} */
const asModule = {
  ...common,
  format: "esm",
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
};

/** @param {string} name */
function emptyBundle(name) {
  const folder = join(packages, name, "dist/bundle");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function bundleDaemon() {
  const target = emptyBundle("guestfsd");
  await build({
    ...asModule,
    entryPoints: [join(packages, "guestfsd/src/main.ts")],
    outfile: join(target, "guestfsd.mjs"),
    external: ["@koromix/*"],
  });
  // koffi's addon goes along as it is, without the part for another C library.
  const native = `@koromix/koffi-${process.platform}-${process.arch}`;
  const koffi = createRequire(join(packages, "guestfsd/package.json")).resolve("koffi");
  cpSync(dirname(createRequire(koffi).resolve(native)), join(target, "node_modules", native), {
    recursive: true,
    filter: (source) => !source.includes("musl_"),
  });
}

/** One CommonJS file, the form that node loads fastest. */
async function bundleShell() {
  await build({
    ...common,
    entryPoints: [join(packages, "guestfish/src/main.ts")],
    outfile: join(emptyBundle("guestfish"), "guestfish.cjs"),
    format: "cjs",
    define: { "import.meta.url": "__filename" },
  });
}

/** A file for each program, and files that they share. */
async function bundleTools() {
  const names = readdirSync(join(packages, "tools/bin")).map((file) => basename(file, ".js"));
  await build({
    ...asModule,
    entryPoints: Object.fromEntries(names.map((name) => [name, join(packages, "tools/src", name, "main.ts")])),
    outdir: emptyBundle("tools"),
    splitting: true,
    external: ["guestfsd", "guestfsd/*"],
  });
}

await bundleDaemon();
await bundleShell();
await bundleTools();
