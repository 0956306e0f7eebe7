/**
 * What the command line asks for makes no sense, or can't be done, as opposed to an error of a call. Shown as
 * `PROGRAM: MESSAGE`.
 */
export class CommandLineError extends Error {
  override readonly name: string = "CommandLineError";
}

/** A person was asked and did not want to answer: nothing more is to be said. */
export class GivenUp extends CommandLineError {
  override readonly name = "GivenUp";
}
