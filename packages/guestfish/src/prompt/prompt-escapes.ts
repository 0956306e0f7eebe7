import { toText, fromText } from "../byte-string.ts";

const simple: Readonly<Record<string, string>> = { "\\": "\\", a: "\x07", e: "\x1b", n: "\n", r: "\r" };

/**
 * Decodes GUESTFISH_PS1 and its kin (guestfish(1), PROMPT). `\[` and `\]` are dropped: the width of what stands
 * between them is found from the escape sequences themselves. An escape that is not known becomes `?`.
 */
export function decodePrompt(text: string): string {
  const decoded = fromText(text).replaceAll(
    /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([^]?))/g,
    (_all, hex: string | undefined, octal: string | undefined, letter: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (letter === "[" || letter === "]") return "";
      return simple[letter ?? ""] ?? "?";
    },
  );
  return toText(decoded);
}
