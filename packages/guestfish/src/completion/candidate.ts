/** Something the word being typed may become. */
export interface Candidate {
  readonly text: string;
  /** More belongs to the word: a folder, or the name of an optional argument. */
  readonly open: boolean;
}

/** The candidates that begin with what is typed, in any case unless some have the very same. */
export function beginningWith(candidates: readonly Candidate[], typed: string): Candidate[] {
  const exact = candidates.filter(({ text }) => text.startsWith(typed));
  if (exact.length > 0) return exact;
  const lower = typed.toLowerCase();
  return candidates.filter(({ text }) => text.toLowerCase().startsWith(lower));
}
