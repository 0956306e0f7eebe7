import { normaliseName } from "./command.ts";

/** The name that differs least from a mistyped one, if there is one near enough to be meant. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const wanted = normaliseName(typed);
  if (wanted.length < 3 || wanted.length > 40) return undefined;
  let best: string | undefined;
  let least = wanted.length < 8 ? 1 : 2;
  for (const name of names) {
    const difference = distance(wanted, normaliseName(name));
    if (difference > least || (difference === least && best !== undefined)) continue;
    best = name;
    least = difference;
  }
  return best;
}

/** Letters to add, remove or change (Levenshtein). */
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const change = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(change, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
