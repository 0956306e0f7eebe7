import { camelCase, kebabCase } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { findShellCommand, shellCommands } from "./commands.ts";
import { findProcedure, namesOf, shellProcedures, usageOf } from "./procedure-names.ts";

/** How to begin. */
export function generalHelp(): string {
  return [
    "Attach disk images with -a, or with the 'add' command; -N, 'alloc' and 'sparse' make new ones.",
    "Then 'run' starts the appliance, 'list-filesystems' shows what there is, and 'mount' makes it accessible.",
    "",
    "'help cmd' explains a command, 'help --list' lists them all.",
    "",
  ].join("\n");
}

/** Every command and alias with a line about it, in the order of the names. */
export function listCommands(): string {
  const lines: [string, string][] = [];
  for (const { name, aliases, summary } of shellCommands) {
    lines.push([name, summary]);
    for (const alias of aliases) lines.push([alias, `alias for '${name}'`]);
  }
  for (const row of shellProcedures()) {
    const [name = "", ...aliases] = namesOf(row);
    lines.push([name, briefly(row.summary)]);
    for (const alias of aliases) lines.push([alias, `alias for '${name}'`]);
  }
  lines.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  const table = [["Command", "Description"] as const, ...lines].map(
    ([name, summary]) => `${name.padEnd(20)} ${summary}`,
  );
  return `${table.join("\n")}\n\n'help cmd' explains a command.\n`;
}

/** All that is known of a command; `undefined` for a name that is none. */
export function explainCommand(name: string): string | undefined {
  const own = findShellCommand(name);
  if (own !== undefined) {
    return page(
      own.name,
      own.summary,
      own.usage.map((usage) => `${own.name} ${usage}`.trimEnd()),
      [wrap(own.description)],
      own.aliases,
    );
  }
  const row = findProcedure(name);
  if (row === undefined) return undefined;
  const [, ...aliases] = namesOf(row);
  return page(kebabCase(row.name), briefly(row.summary), [usageOf(row)], describe(row), aliases);
}

function describe(row: Procedure): string[] {
  const parameters = [
    ...row.params.map(
      (parameter) =>
        `${parameter.of === "key" ? `${parameter.name} (asked for)` : parameter.name}: ${parameter.summary}`,
    ),
    ...(row.optional ?? []).map((parameter) => `[${parameter.name}:]: ${parameter.summary}`),
  ];
  const remarks = [
    row.group === undefined
      ? undefined
      : `Needs the feature '${row.group}' of the daemon: see 'feature-available' and 'supported'.`,
    row.configOnly === true ? "Allowed only before 'run'." : undefined,
    row.progress === true ? "Reports its progress." : undefined,
    row.cancellable === true ? "Ctrl-C stops it half-way." : undefined,
    row.deprecated === undefined
      ? undefined
      : row.deprecated === true
        ? "Deprecated: no longer of use."
        : `Deprecated: use '${kebabCase(row.deprecated)}'.`,
    `In programs: ${camelCase(row.name)}(). Since libguestfs ${row.since}.`,
  ].filter((remark) => remark !== undefined);
  return [row.summary, ...(parameters.length > 0 ? [parameters.join("\n")] : []), ...remarks.map(wrap)];
}

function page(
  name: string,
  summary: string,
  usage: readonly string[],
  paragraphs: readonly string[],
  aliases: readonly string[],
): string {
  const more = aliases.length === 0 ? [] : [`Also called ${aliases.map((alias) => `'${alias}'`).join(", ")}.`];
  const sections = [
    `NAME\n${indent(`${name} - ${summary}`)}`,
    `SYNOPSIS\n${indent(usage.join("\n"))}`,
    `DESCRIPTION\n${indent([...paragraphs, ...more].join("\n\n"))}`,
  ];
  return `${sections.join("\n\n")}\n`;
}

/** A sentence as the words of a list: no full stop, no capital where it is not a name. */
function briefly(sentence: string): string {
  const plain = sentence.replace(/\.$/, "");
  return /^[A-Z][a-z]/.test(plain) ? plain[0]!.toLowerCase() + plain.slice(1) : plain;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "    ");
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > 72) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
