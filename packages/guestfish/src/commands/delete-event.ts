import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { ShellError } from "../shell-error.ts";

const deleteEvent: Command = {
  async run(shell, words) {
    const [name] = words;
    if (name === undefined || words.length !== 1) throw new ShellError("usage: delete-event name");
    if (!shell.events.remove(await shell.handle(), toText(name)))
      throw new ShellError(`delete-event: ${toText(name)}: there is no such event handler`);
  },
};
export default deleteEvent;
