// @ts-check
import { join } from "node:path";
import { root } from "../project.mjs";

/** Builds the appliance into the user's cache folder; says nothing when it is there already. */
export async function installAppliance() {
  const { buildAppliance } = await import("@guestfs/appliance");
  const { Guestfs } = await import("guestfs");
  const guestfs = new Guestfs();
  const cacheDir = guestfs.getCachedir();
  await guestfs.close();
  await buildAppliance({
    cacheDir,
    daemonBundle: join(root, "packages/guestfsd/dist/bundle"),
    onDebug: (/** @type {string} */ line) => console.error(`setup: appliance: ${line}`),
  });
}
