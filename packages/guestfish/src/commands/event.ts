import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const event: Command = {
  async run(shell, words) {
    const [name, eventSet, script] = words;
    if (name === undefined || eventSet === undefined || script === undefined || words.length !== 3) {
      throw new ShellError("usage: event name eventset script");
    }
    await shell.events.add(await shell.handle(), () => shell.console, toText(name), toText(eventSet), toText(script));
  },
};
export default event;
