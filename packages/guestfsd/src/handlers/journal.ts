import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { O_DIRECTORY } from "../native/file.ts";
import { Journal, loadJournalLibrary } from "../native/journal.ts";
import { insideRoot } from "../native/root.ts";

const key = Symbol("journal");

function opened(context: Context): Journal {
  const journal = context.state.get<Journal>(key);
  if (!journal) throw new DaemonError("you must call 'journal-open' first to initialize the journal handle");
  return journal;
}

/** The journal of systemd. */
export const journal: HandlersOf<"journal"> = {
  journal_open({ directory }, context) {
    context.state.drop(key);
    loadJournalLibrary();
    // The files are opened by name: symlinks among them stay in the guest's tree, which is the root meanwhile.
    const journal = context.sysroot.withOpen(directory, O_DIRECTORY, (folder) =>
      context.sysroot.withTop((top) => insideRoot(top, () => new Journal(folder))),
    );
    context.state.keep(key, journal, () => journal.close());
  },
  journal_close(_, context) {
    opened(context);
    context.state.drop(key);
  },
  journal_next: (_, context) => opened(context).next(),
  journal_skip: ({ skip }, context) => opened(context).skip(skip, context.pulse),
  journal_get_data_threshold: (_, context) => opened(context).threshold,
  journal_set_data_threshold({ threshold }, context) {
    // 0 is no limit; so is a negative number, which the interface of C takes for a huge one.
    opened(context).threshold = Math.max(threshold, 0);
  },
  journal_get_realtime_usec: (_, context) => opened(context).realtime,
};

/** What the library composes `journal_get` of. */
export const internalJournal: Pick<HandlersOf<"internal">, "internal_journal_get"> = {
  internal_journal_get(_, context) {
    for (const field of opened(context).fields()) {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(field.length));
      context.output.write(length);
      context.output.write(field);
    }
  },
};
