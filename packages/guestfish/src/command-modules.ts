import type { Command } from "./command.ts";
import type { ShellCommandName } from "./commands.ts";

/** Where each of the shell's commands is, loaded when it is first run. */
export const commandModules: Readonly<Record<ShellCommandName, () => Promise<{ readonly default: Command }>>> = {
  help: () => import("./commands/help.ts"),
  quit: () => import("./commands/quit.ts"),
  alloc: () => import("./commands/alloc.ts"),
  "copy-in": () => import("./commands/copy-in.ts"),
  "copy-out": () => import("./commands/copy-out.ts"),
  "delete-event": () => import("./commands/delete-event.ts"),
  display: () => import("./commands/display.ts"),
  echo: () => import("./commands/echo.ts"),
  edit: () => import("./commands/edit.ts"),
  event: () => import("./commands/event.ts"),
  glob: () => import("./commands/glob.ts"),
  hexedit: () => import("./commands/hexedit.ts"),
  lcd: () => import("./commands/lcd.ts"),
  "list-events": () => import("./commands/list-events.ts"),
  man: () => import("./commands/man.ts"),
  more: () => import("./commands/more.ts"),
  not: () => import("./commands/not.ts"),
  reopen: () => import("./commands/reopen.ts"),
  setenv: () => import("./commands/setenv.ts"),
  sparse: () => import("./commands/sparse.ts"),
  supported: () => import("./commands/supported.ts"),
  time: () => import("./commands/time.ts"),
  unsetenv: () => import("./commands/unsetenv.ts"),
};
