import { CommandLineError, GivenUp, printableLines } from "guestfs/command-line";
import { OutputClosed } from "./output.ts";
import { ShellError } from "./shell-error.ts";

/**
 * What is written to standard error about a failure: the shell's own messages as they are, those of the
 * library behind `place` and `libguestfs: error:`, as the stock shell does.
 */
export function describeFailure(error: unknown, place: string): string {
  if (error instanceof GivenUp) return "";
  if (error instanceof CommandLineError) return `guestfish: ${error.message}\n`;
  if (error instanceof ShellError) return `${error.message}\n`;
  if (error instanceof OutputClosed) return `guestfish: ${error.message}\n`;
  const message = error instanceof Error ? error.message : String(error);
  // The words may be the guest's, and go to a terminal.
  return `${place}libguestfs: error: ${printableLines(message)}\n`;
}
