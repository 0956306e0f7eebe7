import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromText, toText } from "../byte-string.ts";
import { parseLine, parsePartialLine } from "../parse.ts";
import { SyntaxFault } from "../shell-error.ts";
import { needsQuotes, quoteWord } from "./quote-word.ts";
import { wordSources } from "./word-sources.ts";

test("what is being typed is found", () => {
  assert.deepEqual(parsePartialLine(" - ca"), { kind: "name", typed: "ca" });
  assert.deepEqual(parsePartialLine(""), { kind: "name", typed: "" });
  const word = { kind: "word", words: ["cat"] };
  assert.deepEqual(parsePartialLine("cat "), { ...word, typed: "", word: "", quoted: false });
  assert.deepEqual(parsePartialLine("cat /a"), { ...word, typed: "/a", word: "/a", quoted: false });
  assert.deepEqual(parsePartialLine(String.raw`cat "/a\x41 b`), {
    ...word,
    typed: String.raw`"/a\x41 b`,
    word: "/aA b",
    quoted: true,
  });
  assert.deepEqual(parsePartialLine(`a 'b c' "d" e`), {
    kind: "word",
    words: ["a", "b c", "d"],
    typed: "e",
    word: "e",
    quoted: false,
  });
  assert.deepEqual(parsePartialLine("!ls -l /etc/h"), { kind: "host", typed: "/etc/h" });
  assert.deepEqual(parsePartialLine(String.raw`<!cat a\ b`), { kind: "host", typed: String.raw`a\ b` });
  assert.deepEqual(parsePartialLine("cat /f | grep x >out"), { kind: "host", typed: "out" });
  for (const line of ["# x", 'cat "a"', 'cat "\\q', 'cat "a"b'])
    assert.throws(() => parsePartialLine(line), SyntaxFault, line);
});

test("any text is a line to complete or a SyntaxFault", () => {
  const letters = fc.constantFrom(...`"'\\|!<#-~ \t\r\nx0149abé`);
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 30 }), (line) => {
      try {
        assert.ok(line.endsWith(parsePartialLine(line).typed));
      } catch (error) {
        assert.ok(error instanceof SyntaxFault);
      }
    }),
    { numRuns: 5000 },
  );
});

test("a quoted word comes back as it was, in letters that a terminal can show", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      fc.pre(!text.includes("\0"));
      const quoted = quoteWord(text, true);
      assert.doesNotMatch(quoted, /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      const line = parseLine(fromText(`echo ${needsQuotes(text) ? quoted : text}`));
      assert.ok(line.kind === "command");
      assert.deepEqual(line.words.map(toText), ["echo", text]);
    }),
  );
});

test("each word has its sources", () => {
  const sources = (line: string): string[] => {
    const { words, ...kinds } = wordSources(line.split(" "));
    return [...Object.entries(kinds).flatMap(([kind, wanted]) => (wanted ? [kind] : [])), ...words];
  };
  assert.deepEqual(sources("cat"), ["paths"]);
  assert.deepEqual(sources("cat /f"), []);
  assert.deepEqual(sources("mount"), ["devices"]);
  assert.deepEqual(sources("upload"), ["files"]);
  assert.deepEqual(sources("upload x"), ["paths", "devices"]);
  assert.deepEqual(sources("time glob CAT"), ["paths"]);
  assert.deepEqual(sources("time"), ["commands"]);
  assert.deepEqual(sources("vi"), ["paths"]);
  assert.deepEqual(sources("copy-in a b"), ["paths", "files"]);
  assert.deepEqual(sources("set-trace"), ["true", "false"]);
  assert.ok(sources("add").includes("files"));
  assert.ok(sources("add x").includes("readonly:true"));
  assert.ok(!sources("add x readonly:true").includes("readonly:true"));
  assert.deepEqual(sources("nosuch"), []);
});
