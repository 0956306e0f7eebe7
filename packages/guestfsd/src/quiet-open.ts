/**
 * Opens without a trace in the times of access, where that is wanted and may be.
 * @param quiet - the flags with O_NOATIME, or as they are
 * @param flags - what they are without
 * @param open - called with the one, and with the other when that is not allowed
 */
export function openQuietly(quiet: number, flags: number, open: (flags: number) => number): number {
  try {
    return open(quiet);
  } catch (error) {
    // Only the owner of a file may leave its time alone.
    if (quiet === flags || (error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    return open(flags);
  }
}
