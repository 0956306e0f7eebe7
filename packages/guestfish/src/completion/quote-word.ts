import { fromText } from "../byte-string.ts";

/** Letters that a terminal shows as what they are: no control characters, nothing that turns the text around. */
const plain = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether a word means something else, or can't be shown, without quotes. */
export function needsQuotes(text: string): boolean {
  return /^["'|~]|^$| /.test(text) || [...text].some((letter) => !plain.test(letter));
}

/**
 * A word in the shell's double quotes (guestfish(1), QUOTING), in letters that can be shown.
 * @param closed - whether the closing quote stands there; without it the word can go on
 */
export function quoteWord(text: string, closed: boolean): string {
  const inner = [...text].map((letter) => {
    if (letter === '"' || letter === "\\") return `\\${letter}`;
    if (plain.test(letter)) return letter;
    return [...fromText(letter)].map((byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
  });
  return `"${inner.join("")}${closed ? '"' : ""}`;
}

/** Text for a terminal: what can't be shown becomes an escape sequence of the shell. */
export function showText(text: string): string {
  return quoteWord(text, false)
    .slice(1)
    .replaceAll(/\\(["\\])/g, "$1");
}
