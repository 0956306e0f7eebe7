import { toText } from "../byte-string.ts";
import type { Command } from "../command.ts";
import { explainCommand, generalHelp, listCommands } from "../help.ts";
import { Reported } from "../shell.ts";
import { ShellError } from "../shell-error.ts";

const help: Command = {
  async run(shell, words) {
    const [word] = words;
    if (words.length > 1) throw new ShellError("usage: help [cmd | --list]");
    if (word === undefined) return shell.printText(generalHelp());
    if (word === "-l" || word === "--list") return shell.printText(listCommands());
    const text = explainCommand(toText(word));
    if (text === undefined) {
      shell.report(new ShellError(`${toText(word)}: unknown command: 'help --list' lists them`));
      throw new Reported();
    }
    return shell.printText(text);
  },
};
export default help;
