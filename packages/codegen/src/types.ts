import { pascalCase } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Result, StructField } from "@guestfs/schema";

/** TypeScript type of a parameter on the daemon's side of the wire. */
export function parameterType(parameter: Parameter | OptionalParameter): string {
  switch (parameter.type) {
    case "string":
      return "string";
    case "optional-string":
      return "string | null";
    case "string-list":
      return "readonly string[]";
    case "bool":
      return "boolean";
    case "int":
      return "number";
    case "int64":
      return "wide" in parameter && parameter.wide ? "bigint" : "number";
    case "buffer":
      return "Uint8Array";
    case "pointer":
      return "bigint";
  }
}

/** TypeScript type of a parameter of the client's method. */
export function methodParameterType(parameter: Parameter | OptionalParameter): string {
  if ("of" in parameter && parameter.of === "file-in") return "FileSource";
  if ("of" in parameter && parameter.of === "file-out") return "FileSink";
  return parameter.type === "int64" ? "number | bigint" : parameterType(parameter);
}

/** TypeScript type of a result. */
export function resultType(result: Result): string {
  switch (result.type) {
    case "none":
      return "void";
    case "bool":
      return "boolean";
    case "int":
      return "number";
    case "int64":
      return result.wide ? "bigint" : "number";
    case "buffer":
      return "Uint8Array";
    case "string":
    case "const-string":
      return "string";
    case "const-optional-string":
      return "string | null";
    case "string-list":
      return "string[]";
    case "hashtable":
      return "Record<string, string>";
    case "struct":
      return pascalCase(result.struct);
    case "struct-list":
      return `${pascalCase(result.struct)}[]`;
  }
}

const fieldNotes: Readonly<Record<string, string>> = {
  char: "one character",
  bytes: "in bytes",
  uuid: "32 characters, without dashes",
  percent: "percentage, -1 when absent",
};

/** Unit or form of a struct's column; empty when its type says it all. */
export function fieldNote(field: StructField): string {
  return field.wide ? "all 64 bits are used" : (fieldNotes[field.type] ?? "");
}

/** TypeScript type of a struct's column. */
export function fieldType(field: StructField): string {
  switch (field.type) {
    case "char":
    case "string":
    case "device":
    case "uuid":
      return "string";
    case "buffer":
      return "Uint8Array";
    default:
      return field.wide ? "bigint" : "number";
  }
}
