/** Reads lines of the form NAME=value, NAME="value", NAME='value', as os-release(5) and files like it have them. */
export function parseShellVariables(lines: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of lines) {
    const cut = line.indexOf("=");
    const name = line.slice(0, Math.max(cut, 0)).trim();
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    variables.set(name, unquote(line.slice(cut + 1).trim()));
  }
  return variables;
}

function unquote(value: string): string {
  const quote = value[0];
  if (quote === "'") return value.slice(1, endOf(value, "'"));
  if (quote === '"') return value.slice(1, endOf(value, '"')).replaceAll(/\\(["\\$`])/g, "$1");
  return value;
}

function endOf(value: string, quote: string): number {
  const end = value.lastIndexOf(quote);
  return end > 0 ? end : value.length;
}
