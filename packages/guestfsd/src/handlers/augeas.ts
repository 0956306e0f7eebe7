import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { Augeas } from "../native/augeas.ts";
import { insideRoot } from "../native/root.ts";

const key = Symbol("augeas");
const AUG_NO_LOAD = 1 << 5;

function session(context: Context): Augeas {
  const augeas = context.state.get<Augeas>(key);
  if (!augeas) throw new DaemonError("you must call 'aug-init' first to initialize Augeas");
  return augeas;
}

/** The configuration files are read and written with the guest's tree as root, so that its symlinks stay in it. */
function inGuest(context: Context, augeas: Augeas, action: (augeas: Augeas) => void): void {
  augeas.readLenses();
  context.sysroot.withTop((top) => insideRoot(top, () => action(augeas)));
}

/** Configuration files by Augeas. */
export const augeas: HandlersOf<"augeas"> = {
  aug_init({ root, flags }, context) {
    context.state.drop(key);
    const augeas = new Augeas(context.sysroot.realpath(root), flags);
    try {
      if ((flags & AUG_NO_LOAD) === 0) inGuest(context, augeas, (opened) => opened.load());
    } catch (error) {
      augeas.close();
      throw error;
    }
    context.state.keep(key, augeas, () => augeas.close());
  },
  aug_close(_, context) {
    session(context);
    context.state.drop(key);
  },
  aug_load(_, context) {
    inGuest(context, session(context), (opened) => opened.load());
  },
  aug_save(_, context) {
    inGuest(context, session(context), (opened) => opened.save());
  },

  aug_get({ augpath }, context) {
    const value = session(context).get(augpath);
    if (value === undefined) throw new DaemonError(`${augpath}: no node matches`);
    if (value === null) throw new DaemonError(`${augpath}: the node has no value`);
    return value;
  },
  aug_label({ augpath }, context) {
    const label = session(context).label(augpath);
    if (label === undefined || label === null) throw new DaemonError(`${augpath}: no node matches`);
    return label;
  },
  aug_match: ({ augpath }, context) => session(context).match(augpath),
  aug_ls({ augpath }, context) {
    if (augpath.length > 1 && augpath.endsWith("/"))
      throw new DaemonError(`${augpath}: the path of a node does not end with a slash`);
    return session(context)
      .match(augpath === "/" ? "/*" : `${augpath}/*`)
      .toSorted();
  },

  aug_set({ augpath, val }, context) {
    session(context).set(augpath, val);
  },
  aug_clear({ augpath }, context) {
    session(context).set(augpath, null);
  },
  aug_setm: ({ base, sub, val }, context) => session(context).setMany(base, sub, val),
  aug_insert({ augpath, label, before }, context) {
    session(context).insert(augpath, label, before);
  },
  aug_rm: ({ augpath }, context) => session(context).remove(augpath),
  aug_mv({ src, dest }, context) {
    session(context).move(src, dest);
  },
  aug_defvar: ({ name, expr }, context) => session(context).defineVariable(name, expr),
  aug_defnode({ name, expr, val }, context) {
    const { count, created } = session(context).defineNode(name, expr, val);
    return { i: count, b: created ? 1 : 0 };
  },
  aug_transform({ lens, file, remove }, context) {
    session(context).transform(lens, file, remove ?? false);
  },
};
