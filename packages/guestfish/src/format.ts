import type { Procedure, StructField } from "@guestfs/schema";
import { structByName } from "@guestfs/schema";
import type { ByteString } from "./byte-string.ts";
import { fromText } from "./byte-string.ts";

/** What the shell prints for a call's result, byte for byte as the stock guestfish does. */
export function formatResult(row: Procedure, result: unknown): Uint8Array | ByteString {
  const { returns } = row;
  switch (returns.type) {
    case "none":
      return "";
    case "bool":
      return result === true ? "true\n" : "false\n";
    case "int":
    case "int64":
      return `${number(result as number | bigint, row.shell === false ? undefined : row.shell?.output)}\n`;
    case "string":
    case "const-string":
    case "const-optional-string":
      return line(result === null ? "(null)" : (result as string));
    case "buffer":
      return result as Uint8Array;
    case "string-list":
      return (result as readonly string[]).map(line).join("");
    case "hashtable":
      return Object.entries(result as Record<string, string>)
        .map(([key, value]) => line(`${key}: ${value}`))
        .join("");
    case "struct":
      return struct(fieldsOf(returns.struct), result as Record<string, unknown>, "");
    case "struct-list": {
      const fields = fieldsOf(returns.struct);
      return (result as readonly Record<string, unknown>[])
        .map((item, index) => `[${index}] = {\n${struct(fields, item, "  ")}}\n`)
        .join("");
    }
  }
}

function line(text: string): ByteString {
  return fromText(`${text}\n`);
}

function fieldsOf(name: string): readonly StructField[] {
  return structByName.get(name)?.fields ?? [];
}

function struct(fields: readonly StructField[], value: Record<string, unknown>, indent: string): ByteString {
  return fields.map((field) => `${indent}${field.name}: ${column(field, value[field.name])}\n`).join("");
}

function column(field: StructField, value: unknown): ByteString {
  switch (field.type) {
    case "buffer":
      return Array.from(value as Uint8Array, printable).join("");
    case "percent":
      return value === null || value === undefined || (value as number) < 0 ? "" : `${general(value as number)} %`;
    default:
      return fromText(String(value));
  }
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
}

function number(value: number | bigint, output: "hex" | "octal" | undefined): string {
  if (output === undefined) return String(value);
  const digits = (value < 0 ? -value : value).toString(output === "hex" ? 16 : 8);
  const prefix = output === "hex" ? "0x" : "0";
  return `${value < 0 ? "-" : ""}${Number(value) === 0 ? "" : prefix}${digits}`;
}

/** C's `%g`: six significant digits, no zeroes at the end. */
function general(value: number): string {
  const [mantissa = "", exponent] = (
    value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(5) : value.toPrecision(6)
  ).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  if (exponent !== undefined) return `${short}e${exponent[0] === "-" ? "-" : "+"}${exponent.slice(1).padStart(2, "0")}`;
  return short;
}
