import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** What an expression works on. Integers are bigint, so that 64 bits compare exactly; other numbers are not. */
export type Value = bigint | number | string | Uint8Array | null | readonly unknown[] | object;

/** What the names in an expression stand for. */
export interface Environment {
  /** results of the commands, the last one first: `ret`, `ret1`, `ret2`, ... */
  readonly results: readonly unknown[];
  /** a device name in the form `/dev/sdX` */
  readonly canonical: (device: string) => string;
  /** the file that a name in upstream's tree stands for; throws when it is not given */
  readonly hostFile: (name: string) => string;
}

type Token = { readonly type: "number" | "string" | "name" | "operator"; readonly text: string };

const tokenPattern =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|(->|==|!=|<=|>=|&&|\|\||[-<>&!()[\],.]))/y;

const comparisons = ["==", "!=", "<=", ">=", "<", ">"];
const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** The bytes of a text, each as one character: what `char *` is in C, and every string of an expression is here. */
function byteText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Resolves the escapes of a C string. */
function cText(raw: string): string {
  return byteText(raw).replace(/\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|[^])/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff);
    if (/^x./.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return escapes[escape] ?? escape;
  });
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (text.slice(tokenPattern.lastIndex).trim() !== "") {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (!match) throw new SyntaxError(`not understood: ${text.slice(at)}`);
    const [, number, string, name, operator] = match;
    if (number !== undefined) tokens.push({ type: "number", text: number });
    else if (string !== undefined) tokens.push({ type: "string", text: cText(string) });
    else if (name !== undefined) tokens.push({ type: "name", text: name });
    else tokens.push({ type: "operator", text: operator ?? "" });
  }
  return tokens;
}

function integer(text: string): bigint {
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
}

function fromResult(value: unknown): Value {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") return byteText(value);
  return value ?? null;
}

function bytesOf(value: Value): Buffer {
  if (typeof value === "string") return Buffer.from(value, "latin1");
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new TypeError("a buffer was expected");
}

/** A string as C sees it: up to the first NUL. */
function textOf(value: Value): string {
  return (typeof value === "string" ? value : bytesOf(value).toString("latin1")).split("\0", 1)[0] ?? "";
}

function entryOf(table: Value, key: Value): Value {
  return fromResult((table as Record<string, string>)[Buffer.from(textOf(key), "latin1").toString("utf8")]);
}

/** A pattern of regex(7), as far as it is written otherwise in JavaScript. */
function patternOf(text: string): RegExp {
  const classes: Readonly<Record<string, string>> = {
    alnum: "A-Za-z0-9",
    alpha: "A-Za-z",
    digit: "0-9",
    lower: "a-z",
    space: "\\s",
    upper: "A-Z",
    xdigit: "A-Fa-f0-9",
  };
  return new RegExp(text.replace(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole));
}

const fileTypes: Readonly<Record<string, bigint>> = {
  S_ISFIFO: 0o010000n,
  S_ISCHR: 0o020000n,
  S_ISDIR: 0o040000n,
  S_ISBLK: 0o060000n,
  S_ISREG: 0o100000n,
  S_ISLNK: 0o120000n,
};

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}

type Implementation = (args: readonly Value[], environment: Environment) => Value;

const functions: Readonly<Record<string, Implementation>> = {
  ...Object.fromEntries(
    Object.entries(fileTypes).map(([name, type]): [string, Implementation] => [
      name,
      ([mode = null]) => truth((whole(mode) & 0o170000n) === type),
    ]),
  ),
  STREQ: ([left = null, right = null]) => truth(textOf(left) === textOf(right)),
  STRNEQ: ([left = null, right = null]) => truth(textOf(left) !== textOf(right)),
  STRPREFIX: ([text = null, start = null]) => truth(textOf(text).startsWith(textOf(start))),
  is_string_list: ([list = null, count = null, ...expected]) => truth(sameList(list as string[], count, expected)),
  is_device_list: ([list = null, count = null, ...expected], { canonical }) =>
    truth(sameList((list as string[]).map(canonical), count, expected)),
  compare_buffers([left = null, leftLength = null, right = null, rightLength = null]) {
    const cut = (value: Value, length: Value): Buffer => bytesOf(value).subarray(0, Number(whole(length)));
    return truth(leftLength !== rightLength || !cut(left, leftLength).equals(cut(right, rightLength)));
  },
  check_hash: ([table = null, key = null, expected = null]) => truth(entryOf(table, key) !== expected),
  get_key: ([table = null, key = null]) => entryOf(table, key),
  match_re: ([text = null, pattern = null]) => truth(patternOf(textOf(pattern)).test(textOf(text))),
  check_file_md5([digest = null, file = null], { hostFile }) {
    const bytes = readFileSync(hostFile(textOf(file)));
    return truth(createHash("md5").update(bytes).digest("hex") !== textOf(digest));
  },
};

function sameList(list: readonly string[], count: Value, expected: readonly Value[]): boolean {
  if (expected.length !== Number(count)) throw new TypeError("the count and the strings of a list are at odds");
  return list.length === expected.length && expected.every((text, i) => text === byteText(list[i] ?? ""));
}

/** A part of an expression; computed only when its value is asked for, so that `&&` and `||` leave out what C leaves out. */
type Part = () => Value;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #environment: Environment;
  #at = 0;

  constructor(text: string, environment: Environment) {
    this.#tokens = tokenize(text);
    this.#environment = environment;
  }

  whole(): Part {
    const part = this.#or();
    if (this.#at < this.#tokens.length) throw new SyntaxError(`not expected here: ${this.#tokens[this.#at]?.text}`);
    return part;
  }

  #take(...operators: string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.type !== "operator" || !operators.includes(token.text)) return undefined;
    this.#at++;
    return token.text;
  }

  #expect(operator: string): void {
    if (!this.#take(operator))
      throw new SyntaxError(`${operator} expected, found ${this.#tokens[this.#at]?.text ?? "the end"}`);
  }

  #or(): Part {
    const left = this.#and();
    if (!this.#take("||")) return left;
    const right = this.#or();
    return () => truth(isTrue(left()) || isTrue(right()));
  }

  #and(): Part {
    const left = this.#bits();
    if (!this.#take("&&")) return left;
    const right = this.#and();
    return () => truth(isTrue(left()) && isTrue(right()));
  }

  #bits(): Part {
    let part = this.#comparison();
    while (this.#take("&")) {
      const left = part;
      const right = this.#comparison();
      part = () => whole(left()) & whole(right());
    }
    return part;
  }

  #comparison(): Part {
    let part = this.#unary();
    for (let operator = this.#take(...comparisons); operator; operator = this.#take(...comparisons)) {
      const left = part;
      const right = this.#unary();
      const sign = operator;
      part = () => compare(sign, left(), right());
    }
    return part;
  }

  #unary(): Part {
    const operator = this.#take("!", "-");
    if (!operator) return this.#postfix();
    const part = this.#unary();
    return operator === "!" ? () => truth(!isTrue(part())) : () => -whole(part());
  }

  #postfix(): Part {
    let part = this.#primary();
    for (let operator = this.#take("->", ".", "["); operator; operator = this.#take("->", ".", "[")) {
      const value = part;
      if (operator === "[") {
        const index = this.#or();
        this.#expect("]");
        part = () => fromResult((value() as readonly unknown[])[Number(index())]);
        continue;
      }
      const name = this.#tokens[this.#at++]?.text ?? "";
      part = () => fieldOf(value(), name);
    }
    return part;
  }

  #primary(): Part {
    const token = this.#tokens[this.#at++];
    if (!token) throw new SyntaxError("the expression ends too early");
    if (token.type === "number") return constant(integer(token.text));
    if (token.type === "string") return constant(this.#string(token.text));
    if (token.text === "(") {
      const part = this.#or();
      this.#expect(")");
      return part;
    }
    if (token.type !== "name") throw new SyntaxError(`not expected here: ${token.text}`);
    return this.#take("(") ? this.#call(token.text) : this.#variable(token.text);
  }

  /** Strings side by side are one. */
  #string(first: string): string {
    let text = first;
    for (let next = this.#tokens[this.#at]; next?.type === "string"; next = this.#tokens[this.#at]) {
      text += next.text;
      this.#at++;
    }
    return text;
  }

  #call(name: string): Part {
    const args: Part[] = [];
    while (!this.#take(")")) {
      if (args.length > 0) this.#expect(",");
      args.push(this.#or());
    }
    const implementation = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!implementation) throw new SyntaxError(`no function ${name}`);
    const compute = (part: Part): Value => part();
    return () => implementation(args.map(compute), this.#environment);
  }

  #variable(name: string): Part {
    const { results } = this.#environment;
    if (name === "NULL") return constant(null);
    if (name === "size") return () => BigInt(results.find((result) => result instanceof Uint8Array)?.length ?? 0);
    const back = /^ret(\d*)$/.exec(name);
    if (!back) throw new SyntaxError(`no variable ${name}`);
    return () => fromResult(results[Number(back[1])]);
  }
}

function constant(value: Value): Part {
  return () => value;
}

function whole(value: Value): bigint {
  if (typeof value === "bigint") return value;
  throw new TypeError("a whole number was expected");
}

/** A field of a struct, a length of a list of structs, or the length of a field that holds bytes, as C has it. */
function fieldOf(value: Value, name: string): Value {
  if (Array.isArray(value)) return name === "len" ? BigInt(value.length) : value;
  if (typeof value !== "object" || value === null)
    throw new TypeError(`${name}: there is no struct that could have it`);
  const fields = value as Record<string, unknown>;
  if (name in fields) return fromResult(fields[name]);
  const bytes = name.endsWith("_len") ? fields[name.slice(0, -"_len".length)] : undefined;
  if (bytes instanceof Uint8Array) return BigInt(bytes.length);
  throw new TypeError(`${name}: the struct has no such field`);
}

function isTrue(value: Value): boolean {
  return value !== null && value !== 0n && value !== 0;
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

function compare(operator: string, left: Value, right: Value): bigint {
  if (operator === "==" || operator === "!=") {
    // oxlint-disable-next-line eqeqeq -- 1 and 1n are the same here
    const same = isNumber(left) && isNumber(right) ? left == right : left === right;
    return truth(same === (operator === "=="));
  }
  if (!isNumber(left) || !isNumber(right)) throw new TypeError(`${operator}: numbers were expected`);
  if (operator === "<") return truth(left < right);
  if (operator === ">") return truth(left > right);
  return truth(operator === "<=" ? left <= right : left >= right);
}

/** Whether an expression of the suite holds for the results. */
export function holds(expression: string, environment: Environment): boolean {
  return isTrue(new Parser(expression, environment).whole()());
}
