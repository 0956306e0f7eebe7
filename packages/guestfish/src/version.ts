import { createRequire } from "node:module";

/** The version of this package. */
export function version(): string {
  // By name, so that it is found from the source, from the compiled program and from a bundle of it.
  const manifest: unknown = createRequire(import.meta.url)("guestfish/package.json");
  return (manifest as { version: string }).version;
}
