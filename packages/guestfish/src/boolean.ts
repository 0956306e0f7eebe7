const yes = new Set(["1", "true", "t", "yes", "y", "on"]);
const no = new Set(["0", "false", "f", "no", "n", "off"]);

/** Reads a truth value, in any case: 1 true t yes y on, 0 false f no n off; `undefined` for any other text. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (yes.has(word)) return true;
  return no.has(word) ? false : undefined;
}
