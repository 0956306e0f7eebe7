import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** What an expression works on. Integers are bigint, so that 64 bits compare exactly. */
export type Value = bigint | string | Uint8Array | null | readonly unknown[] | object;

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

const tokenPattern = /\s*(?:(0[xX][0-9a-fA-F]+|\d+)|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|(->|==|!=|<=|>=|&&|\|\||[<>&!()[\],.]))/y;

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** Resolves the escapes of a C string. */
function cText(raw: string): string {
  return raw.replace(/\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
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
  if (typeof value === "number") return BigInt(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  return (value ?? null) as Value;
}

function bytesOf(value: Value): Buffer {
  if (typeof value === "string") return Buffer.from(value, "latin1");
  if (value instanceof Uint8Array) return Buffer.from(value);
  throw new TypeError("a buffer was expected");
}

function textOf(value: Value): string {
  return typeof value === "string" ? value : bytesOf(value).toString();
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

function callFunction(name: string, args: readonly Value[], environment: Environment): Value {
  const [first = null, second = null, third = null, fourth = null] = args;
  const fileType = fileTypes[name];
  if (fileType !== undefined) return truth(((first as bigint) & 0o170000n) === fileType);
  switch (name) {
    case "STREQ":
      return truth(textOf(first) === textOf(second));
    case "STRNEQ":
      return truth(textOf(first) !== textOf(second));
    case "STRPREFIX":
      return truth(textOf(first).startsWith(textOf(second)));
    case "is_string_list":
      return truth(sameList(first as string[], second as bigint, args.slice(2) as string[]));
    case "is_device_list":
      return truth(sameList((first as string[]).map(environment.canonical), second as bigint, args.slice(2) as string[]));
    case "compare_buffers":
      return truth(!bytesOf(first).subarray(0, Number(second)).equals(bytesOf(third).subarray(0, Number(fourth))) || second !== fourth);
    case "check_hash":
      return truth((first as Record<string, string>)[textOf(second)] !== textOf(third));
    case "get_key":
      return (first as Record<string, string>)[textOf(second)] ?? null;
    case "match_re":
      return truth(new RegExp(textOf(second)).test(textOf(first)));
    case "check_file_md5":
      return truth(createHash("md5").update(readFileSync(environment.hostFile(textOf(second)))).digest("hex") !== textOf(first));
    default:
      throw new SyntaxError(`no function ${name}`);
  }
}

function sameList(list: readonly string[], count: bigint, expected: readonly string[]): boolean {
  return BigInt(list.length) === count && expected.length === list.length && expected.every((text, i) => text === list[i]);
}

/** A parser that computes as it goes; both sides of `&&` and `||` are computed. */
class Evaluator {
  readonly #tokens: readonly Token[];
  readonly #environment: Environment;
  #at = 0;

  constructor(text: string, environment: Environment) {
    this.#tokens = tokenize(text);
    this.#environment = environment;
  }

  whole(): Value {
    const value = this.#or();
    if (this.#at < this.#tokens.length) throw new SyntaxError(`not expected here: ${this.#tokens[this.#at]?.text}`);
    return value;
  }

  #take(...operators: string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.type !== "operator" || !operators.includes(token.text)) return undefined;
    this.#at++;
    return token.text;
  }

  #expect(operator: string): void {
    if (!this.#take(operator)) throw new SyntaxError(`${operator} expected, found ${this.#tokens[this.#at]?.text ?? "the end"}`);
  }

  #or(): Value {
    let left = this.#and();
    while (this.#take("||")) {
      const right = this.#and();
      left = truth(isTrue(left) || isTrue(right));
    }
    return left;
  }

  #and(): Value {
    let left = this.#bits();
    while (this.#take("&&")) {
      const right = this.#bits();
      left = truth(isTrue(left) && isTrue(right));
    }
    return left;
  }

  #bits(): Value {
    let left = this.#comparison();
    while (this.#take("&")) left = (left as bigint) & (this.#comparison() as bigint);
    return left;
  }

  #comparison(): Value {
    let left = this.#unary();
    for (let operator = this.#take("==", "!=", "<=", ">=", "<", ">"); operator; operator = this.#take("==", "!=", "<=", ">=", "<", ">"))
      left = compare(operator, left, this.#unary());
    return left;
  }

  #unary(): Value {
    return this.#take("!") ? truth(!isTrue(this.#unary())) : this.#postfix();
  }

  #postfix(): Value {
    let value = this.#primary();
    for (let operator = this.#take("->", ".", "["); operator; operator = this.#take("->", ".", "[")) {
      if (operator === "[") {
        value = fromResult((value as readonly unknown[])[Number(this.#or())]);
        this.#expect("]");
        continue;
      }
      const field = this.#tokens[this.#at++]?.text ?? "";
      if (Array.isArray(value)) value = field === "len" ? BigInt(value.length) : value;
      else value = fromResult((value as Record<string, unknown>)[field]);
    }
    return value;
  }

  #primary(): Value {
    const token = this.#tokens[this.#at++];
    if (!token) throw new SyntaxError("the expression ends too early");
    if (token.type === "number") return integer(token.text);
    if (token.type === "string") return token.text;
    if (token.text === "(") {
      const value = this.#or();
      this.#expect(")");
      return value;
    }
    if (token.type !== "name") throw new SyntaxError(`not expected here: ${token.text}`);
    return this.#take("(") ? this.#call(token.text) : this.#variable(token.text);
  }

  #call(name: string): Value {
    const args: Value[] = [];
    while (!this.#take(")")) {
      if (args.length > 0) this.#expect(",");
      args.push(this.#or());
    }
    return callFunction(name, args, this.#environment);
  }

  #variable(name: string): Value {
    const { results } = this.#environment;
    if (name === "NULL") return null;
    if (name === "size") {
      const buffer = results.find((result) => result instanceof Uint8Array);
      return BigInt(buffer?.length ?? 0);
    }
    const back = /^ret(\d*)$/.exec(name);
    if (!back) throw new SyntaxError(`no variable ${name}`);
    return fromResult(results[Number(back[1])]);
  }
}

function isTrue(value: Value): boolean {
  return value !== null && value !== 0n;
}

function compare(operator: string, left: Value, right: Value): bigint {
  switch (operator) {
    case "==":
      return truth(left === right);
    case "!=":
      return truth(left !== right);
    case "<":
      return truth((left as bigint) < (right as bigint));
    case ">":
      return truth((left as bigint) > (right as bigint));
    case "<=":
      return truth((left as bigint) <= (right as bigint));
    default:
      return truth((left as bigint) >= (right as bigint));
  }
}

/** Whether an expression of the suite holds for the results. */
export function holds(expression: string, environment: Environment): boolean {
  return isTrue(new Evaluator(expression, environment).whole());
}
