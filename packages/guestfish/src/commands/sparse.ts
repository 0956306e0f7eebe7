import type { Command } from "../command.ts";
import { makeImage } from "../new-image.ts";

const sparse: Command = {
  run: (shell, words) => makeImage(shell, "sparse", words),
};
export default sparse;
