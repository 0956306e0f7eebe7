import type { ByteString } from "./byte-string.ts";
import { SyntaxFault } from "./shell-error.ts";

/** What one line of a script asks for. */
export type ScriptLine =
  | { readonly kind: "blank" }
  | {
      readonly kind: "command";
      /** The line began with `-`: a failure does not end the script. */
      readonly ignoreErrors: boolean;
      /** The command's name and its parameters, quoting removed. */
      readonly words: readonly ByteString[];
      /** What stood after `|`: a host command that gets the output. */
      readonly pipe?: ByteString;
    }
  | {
      /** `!` and `<!`: a command for the host's shell; with `inline` its output is a script to run. */
      readonly kind: "host";
      readonly inline: boolean;
      readonly ignoreErrors: boolean;
      readonly command: ByteString;
    };

/** Expands a bare word that begins with `~`; gives the word back where there is no such user. */
export type TildeExpansion = (word: ByteString) => ByteString;

// Before the command any white space counts; between words only blanks do, so that a lone CR is a word.
const leadingSpace = /[ \t\r\n\v\f]/;
const blank = /[ \t]/;

/**
 * Reads one line of a script (guestfish(1): QUOTING, COMMENTS, RUNNING COMMANDS LOCALLY, PIPES).
 * Throws {@link SyntaxFault} for a line that is none; any other text gives a line.
 */
export function parseLine(line: ByteString, expandTilde: TildeExpansion = (word) => word): ScriptLine {
  let at = skip(leadingSpace, line, 0);
  let ignoreErrors = false;
  while (line[at] === "-") {
    ignoreErrors = true;
    at = skip(leadingSpace, line, at + 1);
  }
  if (at >= line.length || line[at] === "#") return { kind: "blank" };
  if (line[at] === "!") return { kind: "host", inline: false, ignoreErrors, command: line.slice(at + 1) };
  if (line.startsWith("<!", at)) return { kind: "host", inline: true, ignoreErrors, command: line.slice(at + 2) };

  try {
    return { kind: "command", ignoreErrors, ...readWords(line, at, expandTilde) };
  } catch (error) {
    if (error instanceof SyntaxFault) error.ignoreErrors = ignoreErrors;
    throw error;
  }
}

function readWords(
  line: ByteString,
  start: number,
  expandTilde: TildeExpansion,
): { words: ByteString[]; pipe?: ByteString } {
  // The name is never unquoted: `"echo" a` asks for a command whose name has quotes in it.
  const name = bareWord(line, start);
  const words: ByteString[] = [name];
  let at = skip(blank, line, start + name.length);
  while (at < line.length) {
    const first = line[at];
    if (first === "|") return { words, pipe: line.slice(skip(blank, line, at + 1)).trimEnd() };
    if (first === '"' || first === "'") {
      const quoted = first === '"' ? doubleQuoted(line, at) : singleQuoted(line, at);
      at = quoted.end;
      if (at < line.length && !blank.test(line[at]!))
        throw new SyntaxFault("a closing quote is not followed by white space", at);
      words.push(quoted.word);
    } else {
      const word = bareWord(line, at);
      at += word.length;
      words.push(word.startsWith("~") ? expandTilde(word) : word);
    }
    at = skip(blank, line, at);
  }
  return { words };
}

/** A line that is not finished, as Tab finds it. */
export type PartialLine =
  /** The name of a command is being typed. */
  | { readonly kind: "name"; readonly typed: ByteString }
  | {
      readonly kind: "word";
      /** The finished words, the command's name first. */
      readonly words: readonly ByteString[];
      /** The word being typed as it stands there, and what it means. */
      readonly typed: ByteString;
      readonly word: ByteString;
      readonly quoted: boolean;
    }
  /** A word of a command for the host's shell. */
  | { readonly kind: "host"; readonly typed: ByteString };

/** Finds what is being typed at the end of a line; throws {@link SyntaxFault} where nothing sensible can follow. */
export function parsePartialLine(line: ByteString): PartialLine {
  let at = skip(leadingSpace, line, 0);
  while (line[at] === "-") at = skip(leadingSpace, line, at + 1);
  if (line[at] === "#") throw new SyntaxFault("a comment goes on to the end of the line", at);
  if (line[at] === "!" || line.startsWith("<!", at)) return { kind: "host", typed: lastHostWord(line.slice(at)) };

  const words: ByteString[] = [];
  for (;;) {
    if (line[at] === "|") return { kind: "host", typed: lastHostWord(line.slice(at)) };
    const typed = line.slice(at);
    const quote = typed[0];
    if (words.length === 0 || (quote !== '"' && quote !== "'")) {
      const word = bareWord(line, at);
      if (at + word.length === line.length)
        return words.length === 0 ? { kind: "name", typed } : { kind: "word", words, typed, word, quoted: false };
      words.push(word);
      at += word.length;
    } else {
      const unquote = quote === '"' ? doubleQuoted : singleQuoted;
      // With a quote at its end, the word is finished or it is not.
      const { word, end } = unquote(typed + quote, 0);
      if (end > typed.length) return { kind: "word", words, typed, word, quoted: true };
      if (!blank.test(typed[end] ?? "")) throw new SyntaxFault("the word is finished", at);
      words.push(word);
      at += end;
    }
    at = skip(blank, line, at);
  }
}

function lastHostWord(command: ByteString): ByteString {
  return /(?:[^\s|&;<>()$`"'!\\]|\\.)*$/.exec(command)![0];
}

/** One command of the command line, whose words the host's shell has already split and unquoted. */
export interface CommandLineCommand {
  readonly ignoreErrors: boolean;
  readonly words: readonly ByteString[];
}

/**
 * Splits the words of the command line at each word that is just `:`. Lazy: what stands before a fault is run
 * before the {@link SyntaxFault} is thrown, as in the stock shell.
 */
export function* splitCommandLine(words: readonly ByteString[]): Generator<CommandLineCommand> {
  for (let from = 0; from < words.length;) {
    const colon = words.indexOf(":", from);
    const end = colon === -1 ? words.length : colon;
    const [name, ...parameters] = words.slice(from, end);
    if (name === undefined) throw new SyntaxFault("there is no command before a ':' of the command line");
    const ignoreErrors = name.startsWith("-");
    yield { ignoreErrors, words: [ignoreErrors ? name.slice(1) : name, ...parameters] };
    from = end + 1;
  }
}

function skip(kind: RegExp, line: string, at: number): number {
  while (at < line.length && kind.test(line[at]!)) at++;
  return at;
}

function bareWord(line: string, at: number): string {
  let end = at;
  while (end < line.length && !blank.test(line[end]!)) end++;
  return line.slice(at, end);
}

function singleQuoted(line: string, at: number): { word: string; end: number } {
  const close = line.indexOf("'", at + 1);
  if (close === -1) throw new SyntaxFault("a single quote is not closed", at);
  return { word: line.slice(at + 1, close), end: close + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "'": "'",
  "\\": "\\",
  "?": "?",
};

function doubleQuoted(line: string, at: number): { word: string; end: number } {
  let word = "";
  let next = at + 1;
  for (;;) {
    const letter = line[next];
    if (letter === undefined) throw new SyntaxFault("a double quote is not closed", at);
    if (letter === '"') return { word, end: next + 1 };
    if (letter !== "\\") {
      word += letter;
      next++;
      continue;
    }
    const escape = line[next + 1];
    if (escape === undefined) throw new SyntaxFault("a double quote is not closed", at);
    const simple = escapes[escape];
    if (simple !== undefined) {
      word += simple;
      next += 2;
      continue;
    }
    // Exactly three octal or two hexadecimal digits, and never NUL, which no parameter can hold.
    const octal = /^[0-3][0-7]{2}/.exec(line.slice(next + 1, next + 4))?.[0];
    const hex = escape === "x" ? /^[0-9a-fA-F]{2}/.exec(line.slice(next + 2, next + 4))?.[0] : undefined;
    const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex ?? "0", 16);
    if (code === 0) throw new SyntaxFault("an escape sequence of a double-quoted string is not known", next);
    word += String.fromCharCode(code);
    next += 4;
  }
}
