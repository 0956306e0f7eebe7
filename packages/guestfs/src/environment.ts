/** `1`, `true`, `yes`, `on` ... or their opposites, in any letter case, as libguestfs reads them; `undefined` for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (["1", "true", "t", "yes", "y", "on"].includes(word)) return true;
  if (["0", "false", "f", "no", "n", "off"].includes(word)) return false;
  return undefined;
}

/** Variables by name; what a list of `NAME=value` says last counts. */
export function parseEnvironmentLines(lines: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals > 0) variables[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return variables;
}
