import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const listEvents: Command = {
  async run(shell, words) {
    if (words.length > 0) throw new ShellError("usage: list-events");
    for (const { name, id, events, script } of shell.events.all) {
      await shell.printText(`"${name}" (${id}): ${events === "*" ? "*" : events.join(",")}: ${script}\n`);
    }
  },
};
export default listEvents;
