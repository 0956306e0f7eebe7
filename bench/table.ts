/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const seconds = (value: number): string => `${value.toFixed(value < 1 ? 3 : 1)} s`;

/** A row of a table: what stock's takes and ours, in seconds, and how many times as long stock's does, if it is there. */
export function secondsRow(what: string, stock: number | undefined, own: number): string[] {
  if (stock === undefined) return [what, "", seconds(own), ""];
  const ratio = stock / own;
  return [what, seconds(stock), seconds(own), ratio.toFixed(ratio < 20 ? 1 : 0)];
}
