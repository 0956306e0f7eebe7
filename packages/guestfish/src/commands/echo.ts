import type { Command } from "../command.ts";

const echo: Command = {
  run: (shell, words) => shell.print(`${words.join(" ")}\n`),
};
export default echo;
