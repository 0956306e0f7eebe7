// @ts-check
// Bundles the daemon, which the appliance and the packages carry as one folder, and the programs, whose many modules take longer to load
// than what most of them do.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
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
    format: "cjs",
    define: { "import.meta.url": "__filename" },
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

/** @param {string} target */
async function bundleShell(target) {
  await bundleScript(target, "guestfish");
  const env = { ...process.env, GUESTFS_COMPILE: "1" };
  spawnSync(process.execPath, [join(target, "guestfish.cjs"), "--version"], { env, stdio: "ignore" });
}

/**
 * A file for each program, and files that they share.
 * @param {string} target
 */
async function bundleTools(target) {
  const names = readdirSync(join(packages, "tools/bin")).map((file) => basename(file, ".js"));
  await build({
    ...asModule,
    entryPoints: Object.fromEntries(names.map((name) => [name, join(packages, "tools/src", name, "main.ts")])),
    outdir: target,
    splitting: true,
    external: ["guestfsd", "guestfsd/*"],
  });
}

await replaceBundle("guestfsd", bundleDaemon);
await replaceBundle("guestfish", bundleShell);
await replaceBundle("tools", bundleTools);
