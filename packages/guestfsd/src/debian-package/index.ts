/** The Debian package that puts the daemon into a machine. */
export { buildDebianPackage } from "./build-debian-package.ts";
export type { DebianPackageOptions } from "./build-debian-package.ts";
export { debianPackageName } from "./control-files.ts";
