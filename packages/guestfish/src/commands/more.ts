import { normaliseName } from "../command.ts";
import type { Command } from "../command.ts";
import { viewOnHost } from "../host-viewer.ts";

const more: Command = {
  run(shell, words, { name }) {
    const less = normaliseName(name) === "less";
    return viewOnHost(shell, less ? "less" : (process.env["PAGER"] ?? "more"), name, words);
  },
};
export default more;
