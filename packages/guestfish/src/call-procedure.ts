import type { Procedure } from "@guestfs/schema";
import { camelCase } from "@guestfs/schema";
import { Writable } from "node:stream";
import { readArguments } from "./arguments.ts";
import type { ArgumentContext } from "./arguments.ts";
import type { ByteString } from "./byte-string.ts";
import { formatResult } from "./format.ts";
import type { ProgressBar } from "./progress-bar.ts";
import type { Shell } from "./shell.ts";

/** Makes the call that a command stands for, and prints what it gives back. */
export async function callProcedure(
  shell: Shell,
  row: Procedure,
  name: string,
  words: readonly ByteString[],
): Promise<void> {
  const { positional, optional } = await readArguments(row, name, words, argumentContext(shell));
  const handle = await shell.handle();
  const result = await shell.interruptible(async (signal) => {
    const progress = row.progress === true ? await progressBar(shell) : undefined;
    try {
      const takesOptions = row.immediate !== true || row.hotplug === true || row.optional !== undefined;
      const last = takesOptions
        ? [{ ...optional, signal, ...(progress !== undefined && { onProgress: progress.update }) }]
        : [];
      const method: unknown = Reflect.get(handle, camelCase(row.name));
      if (typeof method !== "function") throw new Error(`${row.name}: this library does not have the call`);
      return (await Reflect.apply(method, handle, [...positional, ...last])) as unknown;
    } finally {
      progress?.end();
    }
  });
  const output = formatResult(row, result);
  if (output.length > 0) await shell.print(output);
}

async function progressBar(shell: Shell): Promise<ProgressBar | undefined> {
  if (!shell.console.progressBars) return undefined;
  const { ProgressBar } = await import("./progress-bar.ts");
  return new ProgressBar((text) => shell.console.writeError(text));
}

function argumentContext(shell: Shell): ArgumentContext {
  return {
    input: () => shell.console.input(),
    sink: () => outputStream(shell),
    heredoc: (marker) => (shell.script ?? shell.console).heredoc(marker),
    async path(path) {
      if (!/^win:/i.test(path)) return path;
      const { resolveWindowsPath } = await import("guestfs/command-line");
      return resolveWindowsPath(await shell.handle(), path.slice(4));
    },
    key: (parameter) => shell.console.askKey(parameter),
  };
}

/** The place where the command prints, which stays open at the end. */
function outputStream(shell: Shell): Writable {
  const { output } = shell;
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      output.write(chunk).then(() => done(), done);
    },
  });
}
