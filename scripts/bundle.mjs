// @ts-check
// Bundles the daemon, which the appliance and the packages carry as one folder, and the programs, whose many modules take longer to load
// than what most of them do.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { build } from "esbuild";

const packages = fileURLToPath(new URL("../packages", import.meta.url));

/** @satisfies {import("esbuild").BuildOptions} */
const common = {
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  conditions: ["source"],
  legalComments: "inline",
  logLevel: "warning",
};

/**
 * Replaces a package's bundle, of which programs may be starting just now, by one that is complete.
 * @param {string} name
 * @param {(folder: string) => Promise<void>} make
 */
async function replaceBundle(name, make) {
  const bundle = join(packages, name, "dist/bundle");
  const draft = `${bundle}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await make(draft);
    rmSync(bundle, { recursive: true, force: true });
    renameSync(draft, bundle);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * A program as one CommonJS file, the form that node loads fastest, with what loads it.
 * @param {string} target
 * @param {string} name
 * @param {import("esbuild").BuildOptions} more
 */
async function bundleScript(target, name, more = {}) {
  await build({
    ...common,
    ...more,
    entryPoints: [join(packages, name, "src/main.ts")],
    outfile: join(target, "main.cjs"),
    define: { "import.meta.url": "__filename" },
    // As node wraps a module, for the loader.
    banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
    footer: { js: "})" },
  });
  cpSync(fileURLToPath(new URL("bundle-loader.cjs", import.meta.url)), join(target, `${name}.cjs`));
}

/** @param {string} target */
async function bundleDaemon(target) {
  await bundleScript(target, "guestfsd", { external: ["@koromix/*"] });
  // koffi's addon goes along as it is, without the part for another C library.
  const native = `@koromix/koffi-${process.platform}-${process.arch}`;
  const koffi = createRequire(join(packages, "guestfsd/package.json")).resolve("koffi");
  cpSync(dirname(createRequire(koffi).resolve(native)), join(target, "node_modules", native), {
    recursive: true,
    filter: (source) => !source.includes("musl_"),
  });
}

/**
 * A bundle with all of its functions compiled: guestfish took some 50 ms to compile those of a launch when they were first called.
 * @param {string} target
 * @param {string} name
 * @param {import("esbuild").BuildOptions} more
 */
async function bundleCompiled(target, name, more = {}) {
  await bundleScript(target, name, more);
  setFlagsFromString("--no-lazy");
  // The name is what traces of its errors show, wherever it is installed.
  const script = new Script(readFileSync(join(target, "main.cjs"), "latin1"), {
    filename: `${name}/main.cjs`,
  });
  setFlagsFromString("--lazy");
  writeFileSync(join(target, "main.compiled"), script.createCachedData());
}

await replaceBundle("guestfsd", bundleDaemon);
await replaceBundle("guestfish", (target) => bundleCompiled(target, "guestfish"));
// Loaded with its dependency's files, of which it packs some.
await replaceBundle("tools", (target) => bundleCompiled(target, "tools", { external: ["guestfsd", "guestfsd/*"] }));
