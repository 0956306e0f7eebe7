import type { Command } from "../command.ts";
import { makeImage } from "../new-image.ts";

const alloc: Command = {
  run: (shell, words) => makeImage(shell, "alloc", words),
};
export default alloc;
