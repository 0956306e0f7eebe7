/**
 * A command could not be understood or carried out by the shell itself, as opposed to an error of the
 * library. Its message is shown as it is, without a prefix.
 */
export class ShellError extends Error {
  override readonly name: string = "ShellError";
}

/** A line of a script, or a word of a command, that does not follow the shell's grammar. */
export class SyntaxFault extends ShellError {
  override readonly name = "SyntaxFault";
  /** Where in the line, counted in bytes from 0; absent when the place is of no use. */
  readonly offset: number | undefined;
  /** The line began with `-`. */
  ignoreErrors = false;

  constructor(message: string, offset?: number) {
    super(`guestfish: ${message}`);
    this.offset = offset;
  }
}
