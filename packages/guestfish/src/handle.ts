import type { Guestfs } from "guestfs";
import type { Invocation } from "./options.ts";

/**
 * Makes a handle with the settings of the command line.
 * @param tell - gets the library's messages; absent: they go to standard error
 */
export async function openHandle(options: Invocation, tell?: (text: string) => void): Promise<Guestfs> {
  const { Guestfs } = await import("guestfs");
  const handle = new Guestfs();
  handle.setProgram("guestfish");
  if (options.trace) handle.setTrace(true);
  if (options.verbose) handle.setVerbose(true);
  // Clevis asks a server for the key.
  if (options.network || options.keys.some((key) => key.endsWith(":clevis"))) handle.setNetwork(true);
  if (!options.autosync) handle.setAutosync(false);
  if (tell !== undefined) passMessages(handle, options, tell);
  return handle;
}

function passMessages(handle: Guestfs, options: Invocation, tell: (text: string) => void): void {
  handle.on("warning", ({ message }) => tell(`libguestfs: warning: ${message}\n`));
  handle.on("trace", ({ message }) => tell(`libguestfs: trace: ${message}\n`));
  handle.on("library", ({ message }) => tell(`libguestfs: ${message}\n`));
  handle.on("appliance", ({ text }) => {
    if (options.verbose) tell(text);
  });
}
