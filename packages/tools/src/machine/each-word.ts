import { RemoteError } from "guestfs";
import { CommandLineError } from "guestfs/command-line";
import type { OpenMachine } from "./with-machine.ts";

/**
 * Does something with each path, also after one with which it could not be done: that is told.
 * @returns the exit status: 1 when there was such a one
 * @throws what the machine did not say, such as a lost connection
 */
export async function eachWord(
  machine: OpenMachine,
  words: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const word of words) {
    try {
      await work(await machine.path(word));
    } catch (error) {
      if (!(error instanceof RemoteError || error instanceof CommandLineError)) throw error;
      machine.warn(error.message);
      status = 1;
    }
  }
  return status;
}
