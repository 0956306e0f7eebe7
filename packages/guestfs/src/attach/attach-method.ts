import type { LiveDomain } from "./live-domain.ts";

/** How a daemon is reached. */
export type AttachMethod =
  | { readonly type: "appliance" }
  /** `live`: the socket belongs to a channel of a running domain. */
  | { readonly type: "unix"; readonly path: string; readonly live?: LiveDomain }
  | { readonly type: "libvirt"; readonly uri: string };
/**
 * Reads a backend's name: `direct` or `appliance`, `unix:PATH`, `libvirt` or `libvirt:URI`.
 * @throws RangeError for anything else
 */
export function parseAttachMethod(procedure: string, parameter: string, text: string): AttachMethod {
  if (text === "direct" || text === "appliance") return { type: "appliance" };
  if (text.startsWith("unix:") && text.length > "unix:".length)
    return { type: "unix", path: text.slice("unix:".length) };
  if (text === "libvirt" || text.startsWith("libvirt:")) return { type: "libvirt", uri: text.slice("libvirt:".length) };
  throw new RangeError(`${procedure}: ${parameter}: "${text}" is none of "direct", "appliance", "unix:PATH"`);
}

/** @param appliance - which of the two names of the appliance to use */
export function attachMethodName(method: AttachMethod, appliance: "direct" | "appliance"): string {
  switch (method.type) {
    case "appliance":
      return appliance;
    case "unix":
      return `unix:${method.path}`;
    case "libvirt":
      return method.uri === "" ? "libvirt" : `libvirt:${method.uri}`;
  }
}
