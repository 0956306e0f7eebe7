import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { LaunchError } from "../errors.ts";

/**
 * Path of the `package.json` of a package that the module `from` may use. `require.resolve` alone takes some 2 ms: it loads all that
 * `exports` may need.
 */
function manifestOf(name: string, from: string): string {
  const require = createRequire(from);
  for (const folder of require.resolve.paths(name) ?? []) {
    const path = join(folder, name, "package.json");
    if (existsSync(path)) return realpathSync(path);
  }
  // Where packages are not in folders of their names.
  return require.resolve(`${name}/package.json`);
}

/**
 * Folder of the bundled daemon, which the package `guestfsd` brings.
 *
 * @throws LaunchError when it is not installed
 */
export function daemonBundle(): string {
  try {
    // By way of guestfs, whose dependency it is: this module may be in the bundle of a program.
    const ours = manifestOf("guestfs", import.meta.url);
    return join(dirname(manifestOf("guestfsd", ours)), "dist", "bundle");
  } catch (error) {
    throw new LaunchError("the package guestfsd, which runs inside the appliance, is not installed", {
      cause: error,
      fix: "npm install guestfsd",
    });
  }
}
