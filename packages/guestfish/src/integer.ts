const powers = "KMGTPEZY";

/**
 * Reads an integer as the shell writes it (guestfish(1), NUMBERS): decimal, octal after `0`, hexadecimal
 * after `0x`, and a size suffix: `k` or `K`, `M`, `G` ... alone or as `KiB` times 1024, as `KB` or `KD`
 * times 1000. A suffix alone is one of its units.
 * `undefined` for any other text; the value is not limited in size.
 */
export function parseInteger(text: string): bigint | undefined {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)?([kKMGTPEZY](?:iB|B|D)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits, suffix] = match;
  if (digits === undefined && (suffix === undefined || sign !== "")) return undefined;
  const magnitude = digits === undefined ? 1n : BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = magnitude * scale(suffix);
  return sign === "-" ? -value : value;
}

function scale(suffix: string | undefined): bigint {
  if (suffix === undefined) return 1n;
  const base = suffix.endsWith("iB") || suffix.length === 1 ? 1024n : 1000n;
  return base ** BigInt(powers.indexOf(suffix[0]!.toUpperCase()) + 1);
}
