import { CommandLineError } from "./command-line-error.ts";

interface Token {
  readonly kind: "string" | "boolean" | "name" | "number" | "mark";
  readonly text: string;
  readonly line: number;
}

const token =
  /(?<space>\s+|#.*|\/\/.*|\/\*[^]*?\*\/)|(?<string>"(?:[^"\\]|\\[^])*")|(?<boolean>(?:true|false)(?![-\w*]))|(?<name>[a-z*][-\w*]*)|(?<number>[-+]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)L{0,2})|(?<mark>[=:;,(){}[\]])/iy;

function* tokens(text: string, name: string): Generator<Token> {
  let line = 1;
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new CommandLineError(`${name}: line ${line}: syntax error`);
    const [kind] = Object.entries(match.groups!).find(([, part]) => part !== undefined)!;
    if (kind !== "space") yield { kind: kind as Token["kind"], text: match[0], line };
    line += match[0].split("\n").length - 1;
  }
}

/** Reads tokens one after another. */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#tokens = [...tokens(text, name)];
    this.#name = name;
  }

  fail(what = "syntax error"): never {
    const line = (this.#tokens[this.#at] ?? this.#tokens.at(-1))?.line ?? 1;
    throw new CommandLineError(`${this.#name}: line ${line}: ${what}`);
  }

  get ended(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** Whether one of these marks comes next, which is read then. */
  mark(...marks: string[]): boolean {
    const next = this.#tokens[this.#at];
    const found = next?.kind === "mark" && marks.includes(next.text);
    if (found) this.#at++;
    return found;
  }

  /** The next token, of one of these kinds. */
  take(...kinds: Token["kind"][]): Token {
    const next = this.#tokens[this.#at];
    if (next === undefined || !kinds.includes(next.kind)) this.fail();
    this.#at++;
    return next;
  }

  /** Settings up to the end, or to the `}` of a group; gives those that are truth values. */
  settings(isGroup: boolean): Map<string, boolean | undefined> {
    const settings = new Map<string, boolean | undefined>();
    while (isGroup ? !this.mark("}") : !this.ended) {
      const { text } = this.take("name");
      if (settings.has(text)) this.fail(`${text} is set twice`);
      if (!this.mark("=", ":")) this.fail();
      settings.set(text, this.#value());
      this.mark(";", ",");
    }
    return settings;
  }

  #value(): boolean | undefined {
    if (this.mark("{")) this.settings(true);
    else if (this.mark("[")) this.#values("]");
    else if (this.mark("(")) this.#values(")");
    else {
      const { kind, text } = this.take("boolean", "number", "string");
      // Strings side by side are one.
      if (kind === "string") while (this.#tokens[this.#at]?.kind === "string") this.#at++;
      return kind === "boolean" ? text.toLowerCase() === "true" : undefined;
    }
    return undefined;
  }

  #values(close: string): void {
    while (!this.mark(close)) {
      this.#value();
      if (this.mark(",")) continue;
      if (!this.mark(close)) this.fail();
      return;
    }
  }
}

/**
 * Reads a file in the syntax of libconfig, without `@include`.
 * @param name - what messages call it
 * @returns its outermost settings; `undefined` where the value is no truth value
 * @throws CommandLineError
 */
export function parseLibconfig(text: string, name: string): ReadonlyMap<string, boolean | undefined> {
  return new Reader(text, name).settings(false);
}
