// @ts-check
// Makes the Debian package that puts the daemon into a running machine: `deb.mjs [--uncompressed] [FOLDER]`.
// Prints the package's path. Default folder: packages/guestfsd/dist.
import { fileURLToPath } from "node:url";
import { buildDebianPackage } from "guestfsd/debian-package";

const words = process.argv.slice(2);
const uncompressed = words.includes("--uncompressed");
const [folder = fileURLToPath(new URL("../packages/guestfsd/dist", import.meta.url))] = words.filter(
  (word) => !word.startsWith("--"),
);
console.log(buildDebianPackage({ folder, compression: uncompressed ? "none" : "xz" }));
