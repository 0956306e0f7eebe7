// Controls, C1 ones too, and what has no look of its own: marks of direction, joiners, separators of lines. A lone
// surrogate stands for a byte that is no UTF-8 (text.ts of the protocol).
const characters = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uDC80-\uDC9F]`;
const unprintable = new RegExp(characters, "gu");
const unprintableInLines = new RegExp(String.raw`(?![\n\t])${characters}`, "gu");

/** Text of a guest for one line of a terminal, which it can't steer: what would do more than show is a `?`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, "?");
}

/** The same for a message of several lines, which may have tabs. */
export function printableLines(text: string): string {
  return text.replaceAll(unprintableInLines, "?");
}

/** JSON of a value, with such characters escaped. */
export function printableJson(value: unknown): string {
  const escape = (unit: string): string => String.raw`\u` + unit.charCodeAt(0).toString(16).padStart(4, "0");
  return JSON.stringify(value).replaceAll(unprintable, (character) => character.split("").map(escape).join(""));
}
