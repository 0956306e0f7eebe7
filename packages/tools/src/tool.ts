/** A program of this package. */
export interface Tool {
  readonly name: string;
  /** What `--help` prints. */
  readonly help: string;
  /**
   * Does the work.
   * @returns the exit status; nothing for 0
   * @throws anything, which becomes a message and the status 1
   */
  run(args: readonly string[]): Promise<number | void>;
}
