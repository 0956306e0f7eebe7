import type { Guestfs } from "guestfs";
import type { Invocation } from "./options.ts";

/** Makes a handle with the settings of the command line. */
export async function openHandle(options: Invocation): Promise<Guestfs> {
  const { Guestfs } = await import("guestfs");
  const handle = new Guestfs();
  handle.setProgram("guestfish");
  if (options.trace) handle.setTrace(true);
  if (options.verbose) handle.setVerbose(true);
  // Clevis asks a server for the key.
  if (options.network || options.keys.some((key) => key.endsWith(":clevis"))) handle.setNetwork(true);
  if (!options.autosync) handle.setAutosync(false);
  return handle;
}
