import type { Guestfs } from "guestfs";
import { showText } from "../completion/quote-word.ts";

/** What `-i` has found and mounted, in lines for the terminal; empty when it looked for nothing. */
export async function describeSystems(handle: Guestfs): Promise<string> {
  const lines: string[] = [];
  for (const root of await handle.inspectGetRoots().catch(() => [])) {
    const name = await handle.inspectGetProductName(root).catch(() => "unknown");
    lines.push(`Operating system: ${showText(name)}`);
  }
  if (lines.length === 0) return "";
  for (const [device, folder] of Object.entries(await handle.mountpoints().catch(() => ({}))))
    lines.push(`${showText(device)} is mounted on ${showText(folder)}`);
  return `${lines.join("\n")}\n\n`;
}
