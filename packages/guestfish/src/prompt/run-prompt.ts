import { fromText } from "../byte-string.ts";
import { completeLine } from "../completion/complete-line.ts";
import { standardOutput } from "../output.ts";
import { runLine } from "../run.ts";
import type { Shell } from "../shell.ts";
import { historyFile, keepLine, readHistory } from "./history.ts";
import { describeSystems } from "./describe-systems.ts";
import { LineReader } from "./line-reader.ts";
import type { PromptConsole } from "./prompt-console.ts";
import { decodePrompt } from "./prompt-escapes.ts";

const welcome = `
guestfish looks into the disks of virtual machines, and changes them.

  help   how to begin; 'help cmd' explains a command, Tab completes it
  quit   closes the disks and leaves

`;

/** Runs the commands that a person types, until there are no more; a failure is told and ends nothing. */
export async function runPrompt(shell: Shell, console: PromptConsole): Promise<void> {
  const { env } = process;
  const show = (text: string): Promise<void> => standardOutput.write(Buffer.from(text, "utf8"));
  const init = env["GUESTFISH_INIT"];
  if (init !== undefined) await show(`${decodePrompt(init)}\n`);
  await show(welcome);
  if (shell.options.inspector && shell.hasHandle) await show(await describeSystems(await shell.handle()));

  const prompt = decodePrompt(env["GUESTFISH_PS1"] ?? "><fs> ");
  const beforeOutput = decodePrompt(env["GUESTFISH_OUTPUT"] ?? "");
  const file = historyFile();
  const lines = new LineReader(readHistory(file), (line) => completeLine(shell, line));
  console.lines = lines;
  try {
    while (!shell.leaving) {
      const line = await lines.next(prompt, true);
      if (line === undefined) {
        await show("\n");
        break;
      }
      keepLine(file, line);
      await show(beforeOutput);
      await runLine(shell, fromText(line));
      console.endInput();
    }
  } finally {
    console.lines = undefined;
    lines.close();
    await show(decodePrompt(env["GUESTFISH_RESTORE"] ?? ""));
  }
}
