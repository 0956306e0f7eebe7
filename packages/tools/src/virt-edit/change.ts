import { spawn } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { ToolError } from "../tool-error.ts";

/** Changes a file of this host. */
export type Change = (file: string) => Promise<void>;

function status(code: number | null, signal: string | null): string {
  return signal ?? `exit status ${code}`;
}

/** Lets the person change it in their editor. */
export function withEditor(editor: string): Change {
  return (file) =>
    new Promise((resolve, reject) => {
      // EDITOR may have arguments, so a shell takes it apart; the file's name is no part of the text.
      const child = spawn("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new ToolError(`the editor (${editor}) ended with ${status(code, signal)}: nothing was changed`));
      });
    });
}

/** Runs a Perl expression for each line: `$_` is the line, `$lineno` its number (virt-edit(1), NON-INTERACTIVE EDITING). */
export function withExpression(expression: string): Change {
  const program = `our $lineno = 0;
while (defined($_ = <STDIN>)) {
  $lineno++;
#line 1 "-e"
  ${expression}
;
  print STDOUT $_ or die "can't write: $!\\n";
}
close STDOUT or die "can't write: $!\\n";
`;
  return async (file) => {
    const changed = `${file}.changed`;
    const child = spawn("perl", ["-e", program], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<void>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "ENOENT"
            ? new ToolError("-e takes a Perl expression, and there is no perl here\nTo fix it: apt install perl", {
                cause: error,
              })
            : error,
        ),
      );
      child.once("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new ToolError(`the Perl expression failed (${status(code, signal)}): nothing was changed`));
      });
    });
    // An expression may stop reading, and its status says whether that was a failure.
    const fed = pipeline(createReadStream(file), child.stdin).catch(() => undefined);
    await Promise.all([ended, fed, pipeline(child.stdout, createWriteStream(changed, { mode: 0o600 }))]);
    await pipeline(createReadStream(changed), createWriteStream(file));
  };
}
