import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { UsageError } from "./tool-error.ts";

type OptionTable = NonNullable<ParseArgsConfig["options"]>;
type Parsed<Options extends OptionTable> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; args: string[] }>
>;

/** Options that say which machine is meant; the same letters in every program (virt-cat(1), OPTIONS). */
export const machineOptions: {
  readonly add: { readonly type: "string"; readonly short: "a"; readonly multiple: true };
  readonly connect: { readonly type: "string"; readonly short: "c" };
  readonly domain: { readonly type: "string"; readonly short: "d" };
  readonly format: { readonly type: "string" };
  readonly verbose: { readonly type: "boolean"; readonly short: "v" };
} = {
  add: { type: "string", short: "a", multiple: true },
  connect: { type: "string", short: "c" },
  domain: { type: "string", short: "d" },
  format: { type: "string" },
  verbose: { type: "boolean", short: "v" },
};

/**
 * Takes a command line apart.
 * @throws UsageError
 */
export function parseCommandLine<const Options extends OptionTable>(
  args: readonly string[],
  options: Options,
): Parsed<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's second sentence is advice about its own API.
    throw new UsageError((error as Error).message.split(". ")[0] ?? "", { cause: error });
  }
}
