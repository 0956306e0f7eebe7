/** One option of a command line in the manner of GNU getopt_long. */
export interface OptionSpec {
  readonly short?: string;
  readonly long?: string;
  /** Absent: the option takes no argument. `optional`: only as `--long=value` or `-svalue`. */
  readonly argument?: "required" | "optional";
}

/** What {@link getopt} finds, in the order of the command line. */
export type Found<Spec extends OptionSpec> =
  | {
      readonly kind: "option";
      readonly spec: Spec;
      readonly value: string | undefined;
      readonly following: readonly string[];
    }
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "fault"; readonly message: string };

/**
 * Walks a command line: options and words in any order, `--` ends the options, short options may be
 * bundled, long ones shortened as long as they stay unambiguous. `node:util`'s parseArgs knows neither
 * optional arguments nor shortened names, and scripts for guestfish use both.
 *
 * Lazy, so that what the first options ask for (`--help`) is done before a later one is found wrong.
 */
export function* getopt<Spec extends OptionSpec>(
  specs: readonly Spec[],
  argv: readonly string[],
): Generator<Found<Spec>> {
  let at = 0;
  const required = (): string | undefined => argv[at++];
  while (at < argv.length) {
    const word = argv[at++]!;
    if (word === "--") {
      for (const rest of argv.slice(at)) yield { kind: "word", word: rest };
      return;
    }
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = equals === -1 ? word : word.slice(0, equals);
      const inline = equals === -1 ? undefined : word.slice(equals + 1);
      const found = findLong(specs, name.slice(2));
      if (typeof found === "string") {
        yield {
          kind: "fault",
          message: found === "" ? `unrecognized option '${word}'` : `option '${name}' is ambiguous: ${found}`,
        };
        return;
      }
      if (inline !== undefined && found.argument === undefined) {
        yield { kind: "fault", message: `option '--${found.long}' takes no argument` };
        return;
      }
      const value = inline ?? (found.argument === "required" ? required() : undefined);
      if (found.argument === "required" && value === undefined) {
        yield { kind: "fault", message: `option '--${found.long}' needs an argument` };
        return;
      }
      yield { kind: "option", spec: found, value, following: argv.slice(at) };
    } else if (word.startsWith("-") && word.length > 1) {
      for (let letter = 1; letter < word.length; letter++) {
        const spec = specs.find((candidate) => candidate.short === word[letter]);
        if (spec === undefined) {
          yield { kind: "fault", message: `invalid option -- '${word[letter]}'` };
          return;
        }
        if (spec.argument === undefined) {
          yield { kind: "option", spec, value: undefined, following: argv.slice(at) };
          continue;
        }
        const attached = word.slice(letter + 1);
        const value = attached !== "" ? attached : spec.argument === "required" ? required() : undefined;
        if (spec.argument === "required" && value === undefined) {
          yield { kind: "fault", message: `option -- '${spec.short}' needs an argument` };
          return;
        }
        yield { kind: "option", spec, value, following: argv.slice(at) };
        break;
      }
    } else {
      yield { kind: "word", word };
    }
  }
}

/** The option, `""` for none, or the names that a shortened one could stand for. */
function findLong<Spec extends OptionSpec>(specs: readonly Spec[], name: string): Spec | string {
  const exact = specs.find((spec) => spec.long === name);
  if (exact !== undefined) return exact;
  const candidates = specs.filter((spec) => spec.long?.startsWith(name) === true);
  if (candidates.length === 1) return candidates[0]!;
  return candidates.map((spec) => `--${spec.long}`).join(" ");
}
