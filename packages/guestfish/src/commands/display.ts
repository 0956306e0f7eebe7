import type { Command } from "../command.ts";
import { viewOnHost } from "../host-viewer.ts";

const display: Command = {
  run: (shell, words, { name }) => viewOnHost(shell, process.env["GUESTFISH_DISPLAY_IMAGE"] ?? "display", name, words),
};
export default display;
