import { camelCase, isMethod, isSynchronous, pascalCase, procedures, structs, topicOf } from "@guestfs/schema";
import type { Parameter, Procedure } from "@guestfs/schema";
import { generatedNotice } from "./notice.ts";
import { methodParameterType, resultType } from "./types.ts";

/** Positional names that TypeScript or the trailing options object would clash with. */
const renamed: Readonly<Record<string, string>> = { arguments: "argv", options: "optionList" };

function positionalName(parameter: Parameter): string {
  return renamed[parameter.name] ?? camelCase(parameter.name);
}

function optionsInterface(row: Procedure): string[] {
  if (!row.optional) return [];
  return [
    `/** Optional arguments of {@link GuestfsApi.${camelCase(row.name)}}. */`,
    `export interface ${pascalCase(row.name)}Options${isSynchronous(row) ? "" : " extends CallOptions"} {`,
    ...row.optional.flatMap((parameter) => [
      `  /** ${parameter.summary} */`,
      `  ${camelCase(parameter.name)}?: ${methodParameterType(parameter)} | undefined;`,
    ]),
    "}",
    "",
  ];
}

function documentation(row: Procedure): string[] {
  const own = topicOf(row.name) === "extension";
  const facts = [
    row.proc === undefined ? "library" : `procedure ${row.proc}`,
    ...(row.group ? [`group \`${row.group}\``] : []),
    ...(own ? [] : [`since libguestfs ${row.since}`]),
    ...(row.visibility === "internal" || row.visibility === "debug"
      ? [`${row.visibility}: no promise of stability`]
      : []),
  ];
  const deprecation =
    row.deprecated === undefined
      ? []
      : [
          `@deprecated ${row.deprecated === true ? "No longer of use." : `Use {@link GuestfsApi.${camelCase(row.deprecated)}}.`}`,
        ];
  const lines = [
    row.summary,
    "",
    ...row.params.map((parameter) => `@param ${positionalName(parameter)} - ${parameter.summary}`),
    `@remarks ${facts.join(", ")}; ${own ? "PROTOCOL.md, Our extensions" : "guestfs(3)"}.`,
    ...deprecation,
  ];
  return ["  /**", ...lines.map((line) => `   * ${line}`.trimEnd()), "   */"];
}

function signature(row: Procedure, name: string): string {
  const positional = row.params.map((parameter) => `${positionalName(parameter)}: ${methodParameterType(parameter)}`);
  const last = row.optional
    ? [`options?: ${pascalCase(row.name)}Options`]
    : isSynchronous(row)
      ? []
      : ["options?: CallOptions"];
  const returns = isSynchronous(row) ? resultType(row.returns) : `Promise<${resultType(row.returns)}>`;
  return `  ${camelCase(name)}(${[...positional, ...last].join(", ")}): ${returns};`;
}

/** `guestfs/src/gen/api.ts`: the interface that the class `Guestfs` is merged with. */
export function clientApi(): string {
  const rows = procedures.filter(isMethod);
  const text = [
    ...rows.flatMap(optionsInterface),
    "/** Every call of libguestfs as a method. */",
    "export interface GuestfsApi {",
    ...rows.flatMap((row) => [
      ...documentation(row),
      signature(row, row.name),
      ...(row.aliases ?? []).flatMap((alias) => [
        `  /** Other name of {@link GuestfsApi.${camelCase(row.name)}}. */`,
        signature(row, alias),
      ]),
    ]),
    "}",
    "",
    "/** Methods that the library answers by itself or composes of others. */",
    "export type LibraryMethod =",
    ...rows.filter((row) => row.proc === undefined).map((row) => `  | "${camelCase(row.name)}"`),
    "",
  ].join("\n");
  const used = structs
    .map((struct) => pascalCase(struct.name))
    .filter((name) => new RegExp(`Promise<${name}(\\[\\])?>|: ${name};`).test(text));
  return [
    generatedNotice,
    `import type { ${used.join(", ")} } from "@guestfs/schema";`,
    `export type { ${used.join(", ")} } from "@guestfs/schema";`,
    'import type { CallOptions, FileSink, FileSource } from "../call-options.ts";',
    "",
    text,
  ].join("\n");
}
