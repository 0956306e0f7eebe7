import type { Command } from "../command.ts";

const quit: Command = {
  async run(shell) {
    shell.leaving = true;
  },
};
export default quit;
