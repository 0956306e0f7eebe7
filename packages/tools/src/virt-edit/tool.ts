import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fetchFile, putFileBack } from "guestfs/command-line";
import { withOldStyle } from "../machine/old-style.ts";
import { machineHelp, readToolArguments } from "../machine/options.ts";
import type { ToolOption } from "../machine/options.ts";
import { withMachine } from "../machine/with-machine.ts";
import type { OpenMachine } from "../machine/with-machine.ts";
import type { Tool } from "../tool.ts";
import { UsageError } from "../tool-error.ts";
import { withEditor, withExpression } from "./change.ts";
import type { Change } from "./change.ts";

const options: readonly ToolOption[] = [
  { name: "backup", short: "b", long: "backup", argument: "required" },
  { name: "expression", short: "e", long: "expr", argument: "required" },
  { name: "expression", long: "edit", argument: "required" },
];

/** @returns whether it was changed */
async function edit({ g, signal }: OpenMachine, path: string, change: Change, backup: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "virt-edit-"));
  try {
    // Its name, so that the editor knows what kind of file it is; one that is no name here gets another.
    const name = basename(path).replaceAll(/[^\w.@+-]/g, "_");
    const file = join(folder, name === "" || name.startsWith(".") ? `file${name}` : name);
    const fetched = await fetchFile(g, path, file, signal);
    await change(file);
    return await putFileBack(g, fetched, file, { backup, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The argument of -b. */
function backupExtension(text: string | undefined): string {
  if (text === undefined) return "";
  if (text === "" || text.includes("/")) throw new UsageError(`-b ${JSON.stringify(text)}: it is appended to a name`);
  return text;
}

export const tool: Tool = {
  name: "virt-edit",
  help: `virt-edit: edit files of a machine, off or running

usage: virt-edit (-a IMAGE | [--live] -d NAME) [-b EXT] [-e EXPRESSION] FILE ...

  -b, --backup EXT        keep the file as it was, with this at the end of its name: .old or ~, for example
  -e, --expr EXPRESSION   no editor: run this Perl expression for each line, which is $_; $lineno counts

Without -e, the editor is $EDITOR, or vi. Mode, owner and extended attributes of a file stay as they are; a file that
was not changed is not written; a new file takes the old one's place at once or not at all, but where a user of a
machine that runs could move the folder meanwhile: the old file itself is written to. What has changed in the machine
since it was read stays as it is, with an error.

${machineHelp}`,
  async run(args) {
    const { machine, values, words } = withOldStyle(readToolArguments(args, options), 1);
    if (words.length === 0) throw new UsageError("which file is to be edited?");
    const backup = backupExtension(values.get("backup")?.at(-1));
    const expressions = values.get("expression") ?? [];
    const change =
      expressions.length > 0 ? withExpression(expressions.join(";\n")) : withEditor(process.env["EDITOR"] ?? "vi");
    await withMachine(machine, { program: "virt-edit", readOnly: false }, async (open) => {
      for (const word of words) {
        const changed = await edit(open, await open.path(word), change, backup);
        // The words that scripts look for.
        if (!changed && expressions.length === 0) process.stdout.write("File not changed.\n");
      }
    });
  },
};
