import { camelCase, pascalCase, structs, topics } from "@guestfs/schema";
import type { Procedure } from "@guestfs/schema";
import { generatedNotice } from "./notice.ts";
import { fieldNote, fieldType, parameterType, resultType } from "./types.ts";

function structInterfaces(): string[] {
  return structs.flatMap((struct) => [
    `/** ${struct.summary} */`,
    `export interface ${pascalCase(struct.name)} {`,
    ...struct.fields.flatMap((field) => {
      const note = fieldNote(field);
      return [...(note ? [`  /** ${note} */`] : []), `  ${field.name}: ${fieldType(field)};`];
    }),
    "}",
    "",
  ]);
}

function argumentsType(row: Procedure): string {
  const required = row.params
    .filter((parameter) => parameter.of !== "file-in" && parameter.of !== "file-out")
    .map((parameter) => `${camelCase(parameter.name)}: ${parameterType(parameter)}`);
  const optional = (row.optional ?? []).map(
    (parameter) => `${camelCase(parameter.name)}?: ${parameterType(parameter)} | undefined`,
  );
  const all = [...required, ...optional];
  return all.length === 0 ? "Record<never, never>" : `{ ${all.join("; ")} }`;
}

function direction(row: Procedure): string {
  if (row.params.some((parameter) => parameter.of === "file-in")) return '"in"';
  if (row.params.some((parameter) => parameter.of === "file-out")) return '"out"';
  return "null";
}

/** `schema/src/gen/procedure-map.ts`: types only, flat, so that editors stay quick. */
export function procedureMap(): string {
  const lines = [
    generatedNotice,
    "",
    ...structInterfaces(),
    "/** Structs by their names on the wire. */",
    "export interface StructMap {",
  ];
  for (const struct of structs) lines.push(`  ${struct.name}: ${pascalCase(struct.name)};`);
  lines.push(
    "}",
    "",
    "/** Every daemon procedure: arguments, result and the direction of its file. */",
    "export interface ProcedureMap {",
  );
  for (const row of Object.values(topics).flat()) {
    if (row.proc === undefined) continue;
    lines.push(
      `  ${row.name}: { args: ${argumentsType(row)}; returns: ${resultType(row.returns)}; file: ${direction(row)} };`,
    );
  }
  lines.push("}", "", "/** The names of each topic's daemon procedures. */", "export interface TopicMap {");
  for (const [topic, rows] of Object.entries(topics)) {
    const names = rows.filter((row) => row.proc !== undefined).map((row) => `"${row.name}"`);
    lines.push(`  ${topic}: ${names.length === 0 ? "never" : names.join(" | ")};`);
  }
  lines.push("}", "");
  return lines.join("\n");
}
