import { camelCase } from "@guestfs/schema";
import type { OptionalParameter, Parameter, Procedure } from "@guestfs/schema";
import type { Arguments } from "@guestfs/protocol";

const secretOptions: ReadonlySet<string> = new Set(["secret", "password", "key"]);
const longestBuffer = 256;

function quoted(text: string): string {
  return JSON.stringify(text);
}

function scalarText(value: unknown): string {
  return typeof value === "string" ? quoted(value) : `${value as number | bigint | boolean}`;
}

function bufferText(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, longestBuffer)).toString("latin1");
  const text = quoted(shown).replace(/[\x7f-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
  return bytes.length > longestBuffer ? `${text}<truncated, original size ${bytes.length} bytes>` : text;
}

function fileText(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  return value instanceof Uint8Array ? `<${value.length} bytes>` : "<stream>";
}

/** Of `set_libvirt_requested_credential`, whose bytes no type of libguestfs's says to be secret. */
function isCredential({ name, type }: Parameter): boolean {
  return name === "cred" && type === "buffer";
}

function parameterText(parameter: Parameter, value: unknown): string {
  if (parameter.of === "key" || isCredential(parameter)) return "***";
  if (parameter.of === "file-in" || parameter.of === "file-out") return fileText(value);
  if (value === null) return "NULL";
  if (Array.isArray(value)) return quoted(value.join(" "));
  if (value instanceof Uint8Array) return bufferText(value);
  return scalarText(value);
}

function optionText(parameter: OptionalParameter, value: unknown): string {
  const text = secretOptions.has(parameter.name) ? "***" : Array.isArray(value) ? value.join(" ") : String(value);
  return quoted(`${parameter.name}:${text}`);
}

/** A call in one line, such as `mount "/dev/sda1" "/"`. Keys and secrets are `***`. */
export function traceOfCall(row: Procedure, args: Arguments, file: unknown): string {
  const words = [row.name];
  for (const parameter of row.params) {
    const isFile = parameter.of === "file-in" || parameter.of === "file-out";
    words.push(parameterText(parameter, isFile ? file : args[camelCase(parameter.name)]));
  }
  for (const parameter of row.optional ?? []) {
    const value = args[camelCase(parameter.name)];
    if (value !== undefined) words.push(optionText(parameter, value));
  }
  return words.join(" ");
}

/** What a call gave back in one line, such as `list_devices = ["/dev/sda"]`. */
export function traceOfResult(row: Procedure, result: unknown): string {
  return `${row.name} = ${resultText(row, result)}`;
}

function resultText(row: Procedure, result: unknown): string {
  switch (row.returns.type) {
    case "none":
      return "0";
    case "bool":
      return result === true ? "1" : "0";
    case "struct":
      return `<struct guestfs_${row.returns.struct}>`;
    case "struct-list":
      return `<struct guestfs_${row.returns.struct}_list(${(result as readonly unknown[]).length})>`;
    case "string-list":
      return `[${(result as readonly string[]).map(quoted).join(", ")}]`;
    case "hashtable":
      return `[${Object.entries(result as Record<string, string>)
        .flat()
        .map(quoted)
        .join(", ")}]`;
    case "buffer":
      return bufferText(result as Uint8Array);
    default:
      return result === null ? "NULL" : scalarText(result);
  }
}

/** A failed call in one line. */
export function traceOfError(row: Procedure): string {
  const isNumber = row.returns.type === "none" || row.returns.type === "bool" || row.returns.type.startsWith("int");
  return `${row.name} = ${isNumber ? "-1" : "NULL"} (error)`;
}
