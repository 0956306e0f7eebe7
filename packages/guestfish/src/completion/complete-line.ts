import type { Guestfs } from "guestfs";
import { fromText, toText } from "../byte-string.ts";
import { normaliseName } from "../command.ts";
import { shellCommands } from "../commands.ts";
import { parsePartialLine } from "../parse.ts";
import { namesOf, shellProcedures } from "../procedure-names.ts";
import type { Shell } from "../shell.ts";
import type { Candidate } from "./candidate.ts";
import { guestDevices, guestPaths } from "./guest-candidates.ts";
import { hostFiles } from "./host-candidates.ts";
import { needsQuotes, quoteWord } from "./quote-word.ts";
import { wordSources } from "./word-sources.ts";

/** What may stand in the place of the end of a line, ready for the terminal. */
export type Completions = readonly [offers: string[], typed: string];

/** More are not listed. */
const mostListed = 200;
/** Nobody waits longer for a Tab, in milliseconds: a guest may be busy. */
const patience = 3000;

/**
 * What the end of a line may become: commands, optional arguments, devices and paths of the guest once it is
 * launched, files of this host. Names are quoted where the shell needs it; letters that a terminal would obey are
 * escaped. One offer is to be put in place; several are to be listed.
 */
export async function completeLine(shell: Shell, line: string): Promise<Completions> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Completions>((resolve) => (timer = setTimeout(resolve, patience, [[], line])));
  try {
    if (shell.remote !== undefined) return await Promise.race([shell.remote.complete(line), late]);
    return await Promise.race([find(shell, line), late]);
  } catch {
    return [[], line];
  } finally {
    clearTimeout(timer);
  }
}

async function find(shell: Shell, line: string): Promise<Completions> {
  const partial = parsePartialLine(fromText(line));
  const typed = toText(partial.typed);
  switch (partial.kind) {
    case "name":
      return typed === "" ? [[], line] : [finish(commandNames(typed), bare), typed];
    case "host":
      return [finish(await hostFiles(typed.replaceAll(/\\(.)/g, "$1")).then(showable), escaped), typed];
    case "word": {
      const sources = wordSources(partial.words.map(toText));
      const word = toText(partial.word);
      const handle = await launched(shell);
      const candidates = [
        ...(sources.commands && word !== "" ? commandNames(word) : []),
        ...sources.words.filter((text) => text.startsWith(word)).map((text) => ({ text, open: text.endsWith(":") })),
        ...(sources.files ? await hostFiles(word) : []),
      ];
      if (handle !== undefined && sources.devices) candidates.push(...(await guestDevices(handle, word)));
      if (handle !== undefined && sources.paths && shell.options.completeGuestPaths)
        candidates.push(...(await guestPaths(handle, word)));
      const mustQuote = (text: string): boolean => needsQuotes(sources.files ? text.replace(/^~/, "") : text);
      const quotes = partial.quoted || candidates.some(({ text }) => mustQuote(text));
      return [finish(candidates, quotes ? quoteWord : bare), typed];
    }
  }
}

async function launched(shell: Shell): Promise<Guestfs | undefined> {
  if (!shell.hasHandle) return undefined;
  const handle = await shell.handle();
  return handle.isReady() ? handle : undefined;
}

function commandNames(typed: string): Candidate[] {
  const wanted = normaliseName(typed);
  const names = [
    ...shellCommands.flatMap(({ name, aliases }) => [name, ...aliases]),
    ...shellProcedures().flatMap(namesOf),
  ];
  return names.filter((name) => name.startsWith(wanted)).map((text) => ({ text, open: false }));
}

/** How a word is written; `closed`: it is the whole word. */
type Spelling = (text: string, closed: boolean) => string;

const bare: Spelling = (text) => text;
const escaped: Spelling = (text) => text.replaceAll(/[^\p{L}\p{N}%+,./:=@^_~-]/gu, "\\$&");

function showable(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ text }) => !/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(text));
}

/** The offers for a set of candidates: one alone is finished with what follows it. */
function finish(candidates: readonly Candidate[], spell: Spelling): string[] {
  const unique = [...new Map(candidates.map((candidate) => [candidate.text, candidate])).values()];
  const [only] = unique;
  if (unique.length === 1 && only !== undefined) {
    if (!only.open) return [`${spell(only.text, true)} `];
    return [spell(only.text.endsWith(":") ? only.text : `${only.text}/`, false)];
  }
  const offers = unique.map(({ text, open }) => spell(open && !text.endsWith(":") ? `${text}/` : text, false)).sort();
  const prefix = spell(commonPrefix(unique.map(({ text }) => text)), false);
  if (offers.length > mostListed)
    return [...offers.slice(0, mostListed), `${prefix}... ${offers.length - mostListed} more`];
  // What all offers begin with is put into the line, and half an escape sequence must not be.
  return commonPrefix(offers) === prefix ? offers : [...offers, `${prefix}...`];
}

/** What texts have in common, in whole letters. */
function commonPrefix(texts: readonly string[]): string {
  const sorted = texts.toSorted();
  const first = [...(sorted[0] ?? "")];
  const last = [...(sorted.at(-1) ?? "")];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length++;
  return first.slice(0, length).join("");
}
