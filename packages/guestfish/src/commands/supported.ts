import type { Command } from "../command.ts";

const supported: Command = {
  async run(shell) {
    const handle = await shell.handle();
    const groups = await handle.availableAllGroups();
    const width = Math.max(0, ...groups.map((group) => group.length));
    for (const group of groups.toSorted()) {
      await shell.printText(`${group.padStart(width)} ${(await handle.featureAvailable([group])) ? "yes" : "no"}\n`);
    }
  },
};
export default supported;
