import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseLine, splitCommandLine } from "./parse.ts";
import { SyntaxFault } from "./shell-error.ts";

function words(line: string): readonly string[] {
  const parsed = parseLine(line);
  assert.equal(parsed.kind, "command");
  return parsed.kind === "command" ? parsed.words : [];
}

test("words are separated by blanks and tabs", () => {
  assert.deepEqual(words("echo a  b\t c"), ["echo", "a", "b", "c"]);
  assert.deepEqual(words("\techo a"), ["echo", "a"]);
  assert.deepEqual(words('echo "a" \t "b"   '), ["echo", "a", "b"]);
  assert.deepEqual(words("echo a\vb\fc\rd"), ["echo", "a\vb\fc\rd"]);
});

test("quotes join words, and only at the start of one", () => {
  assert.deepEqual(words(`echo "a b" 'c "d'`), ["echo", "a b", 'c "d']);
  assert.deepEqual(words('echo a"b"'), ["echo", 'a"b"']);
  assert.deepEqual(words("echo '' \"\""), ["echo", "", ""]);
  assert.deepEqual(words('"echo" a'), ['"echo"', "a"]);
  assert.throws(() => parseLine('echo "a"b'), SyntaxFault);
  assert.throws(() => parseLine("echo 'a'b"), SyntaxFault);
  assert.throws(() => parseLine('echo "abc'), SyntaxFault);
  assert.throws(() => parseLine('echo "abc\\"'), SyntaxFault);
  assert.throws(() => parseLine("echo 'abc"), SyntaxFault);
});

test("double quotes know C's escapes, single quotes none", () => {
  assert.deepEqual(words(String.raw`echo "\a\b\f\n\r\t\v\"\'\?\\"`), ["echo", "\x07\b\f\n\r\t\v\"'?\\"]);
  assert.deepEqual(words(String.raw`echo "a\x41\101\xe4"`), ["echo", "aAA\xe4"]);
  assert.deepEqual(words(String.raw`echo 'a\nb\'`), ["echo", String.raw`a\nb\ `.trimEnd()]);
  for (const wrong of ["q", "x4", "1", "000", "x00", "477", "xfg", "08"]) {
    assert.throws(() => parseLine(`echo "\\${wrong}"`), SyntaxFault, wrong);
  }
});

test("- in front of a command forgives its failure", () => {
  assert.deepEqual(parseLine("  -  - echo a"), { kind: "command", ignoreErrors: true, words: ["echo", "a"] });
  assert.deepEqual(parseLine("-!exit 3"), { kind: "host", inline: false, ignoreErrors: true, command: "exit 3" });
  assert.deepEqual(parseLine("- <! x"), { kind: "host", inline: true, ignoreErrors: true, command: " x" });
});

test("comments and empty lines are nothing", () => {
  for (const line of ["", "  \t", "# x", " # x", "-", "- ", "-# x"])
    assert.deepEqual(parseLine(line), { kind: "blank" }, line);
  assert.deepEqual(words("echo x # y"), ["echo", "x", "#", "y"]);
});

test("| after a blank hands the output to the host", () => {
  assert.deepEqual(parseLine("cat /f | tr a b | wc "), {
    kind: "command",
    ignoreErrors: false,
    words: ["cat", "/f"],
    pipe: "tr a b | wc",
  });
  assert.deepEqual(parseLine("echo |"), { kind: "command", ignoreErrors: false, words: ["echo"], pipe: "" });
  assert.deepEqual(words("echo a|b"), ["echo", "a|b"]);
  assert.deepEqual(words('echo "|" b'), ["echo", "|", "b"]);
  assert.throws(() => parseLine('echo "b"|cat'), SyntaxFault);
});

test("only bare words are offered to the expansion of ~", () => {
  const seen: string[] = [];
  const expand = (word: string): string => {
    seen.push(word);
    return `/home${word.slice(1)}`;
  };
  const parsed = parseLine(`echo ~ ~/x "~" '~' a~ ~u/y`, expand);
  assert.deepEqual(parsed.kind === "command" && parsed.words, ["echo", "/home", "/home/x", "~", "~", "a~", "/homeu/y"]);
  assert.deepEqual(seen, ["~", "~/x", "~u/y"]);
});

test("the command line is split at words that are just :", () => {
  const split = (words: readonly string[]): unknown[] => [...splitCommandLine(words)];
  assert.deepEqual(split(["run", ":", "-ls", "/x:y", ":", "echo", "|", "a b"]), [
    { ignoreErrors: false, words: ["run"] },
    { ignoreErrors: true, words: ["ls", "/x:y"] },
    { ignoreErrors: false, words: ["echo", "|", "a b"] },
  ]);
  assert.deepEqual(split(["echo", ":"]), [{ ignoreErrors: false, words: ["echo"] }]);
  assert.throws(() => split([":", "echo"]), SyntaxFault);
  assert.throws(() => split(["a", ":", ":", "b"]), SyntaxFault);
});

test("any text is a line or a SyntaxFault", () => {
  const letters = fc.constantFrom(...`"'\\|!<#-~ \t\r\n\vx0123456789abn:é\0`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: letters, maxLength: 40 })), (text) => {
      try {
        const line = parseLine(text);
        if (line.kind === "command") assert.ok(line.words.length > 0);
      } catch (error) {
        assert.ok(error instanceof SyntaxFault);
      }
    }),
    { numRuns: 5000 },
  );
});

test("what is quoted comes back", () => {
  const quote = (word: string): string =>
    `"${word.replaceAll(/[^ !#-[\]-~]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;
  const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.array(fc.string({ unit: byte })), (list) => {
      assert.deepEqual(words(["echo", ...list.map(quote)].join(" ")), ["echo", ...list]);
    }),
  );
});
