import type { Procedure } from "../procedure.ts";

/** Calls of the topic `augeas`. */
export const augeas: readonly Procedure[] = [
  {
    name: "aug_clear",
    proc: 239,
    since: "1.3.4",
    summary: "Reset the value of an Augeas node to NULL.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path of the node" },
    ],
    returns: { type: "none" },
  },
  {
    name: "aug_close",
    proc: 26,
    since: "0.0.7",
    summary: "Shut the Augeas session, dropping unsaved changes.",
    params: [],
    returns: { type: "none" },
  },
  {
    name: "aug_defnode",
    proc: 18,
    since: "0.0.7",
    summary: "Define an Augeas variable from an expression, creating a node if none matches.",
    params: [
      { name: "name", type: "string", of: "plain", summary: "variable name to define" },
      { name: "expr", type: "string", of: "plain", summary: "path expression to evaluate" },
      { name: "val", type: "string", of: "plain", summary: "value for the node if one is created" },
    ],
    returns: { type: "struct", struct: "int_bool" },
  },
  {
    name: "aug_defvar",
    proc: 17,
    since: "0.0.7",
    summary: "Bind an Augeas variable to an expression and return the matching node count.",
    params: [
      { name: "name", type: "string", of: "plain", summary: "variable name to define" },
      { name: "expr", type: "optional-string", summary: "path expression; null removes the variable" },
    ],
    returns: { type: "int" },
  },
  {
    name: "aug_get",
    proc: 19,
    since: "0.0.7",
    summary: "Read the value stored at exactly one Augeas node.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path matching a single node" },
    ],
    returns: { type: "string" },
  },
  {
    name: "aug_init",
    proc: 16,
    since: "0.0.7",
    summary: "Start an Augeas session on the guest, replacing any earlier one.",
    params: [
      { name: "root", type: "string", of: "pathname", summary: "filesystem root for Augeas, usually \"/\"" },
      { name: "flags", type: "int", summary: "bitmask of Augeas flags, 0 for none" },
    ],
    returns: { type: "none" },
  },
  {
    name: "aug_insert",
    proc: 21,
    since: "0.0.7",
    summary: "Add a new sibling node immediately before or after an Augeas node.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path of the existing node" },
      { name: "label", type: "string", of: "plain", summary: "label for the new node" },
      { name: "before", type: "bool", summary: "true inserts before, false after" },
    ],
    returns: { type: "none" },
  },
  {
    name: "aug_label",
    proc: 412,
    since: "1.23.14",
    summary: "Return the last path component (label) of a single Augeas node.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path matching exactly one node" },
    ],
    returns: { type: "string" },
  },
  {
    name: "aug_load",
    proc: 27,
    since: "0.0.7",
    summary: "Parse the configuration files into the Augeas tree.",
    params: [],
    returns: { type: "none" },
  },
  {
    name: "aug_ls",
    proc: 28,
    since: "0.0.8",
    summary: "List the immediate children of an Augeas node, in sorted order.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path of the parent node" },
    ],
    returns: { type: "string-list" },
  },
  {
    name: "aug_match",
    proc: 24,
    since: "0.0.7",
    summary: "Return the full paths of all Augeas nodes matching an expression.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path expression to match" },
    ],
    returns: { type: "string-list" },
  },
  {
    name: "aug_mv",
    proc: 23,
    since: "0.0.7",
    summary: "Relocate one Augeas node, overwriting the destination.",
    params: [
      { name: "src", type: "string", of: "plain", summary: "Augeas path of the single source node" },
      { name: "dest", type: "string", of: "plain", summary: "Augeas path to move it to" },
    ],
    returns: { type: "none" },
  },
  {
    name: "aug_rm",
    proc: 22,
    since: "0.0.7",
    summary: "Delete matching Augeas nodes with all descendants and return the count removed.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path expression of nodes to delete" },
    ],
    returns: { type: "int" },
  },
  {
    name: "aug_save",
    proc: 25,
    since: "0.0.7",
    summary: "Write all pending Augeas changes back to the files.",
    params: [],
    returns: { type: "none" },
  },
  {
    name: "aug_set",
    proc: 20,
    since: "0.0.7",
    summary: "Give one Augeas node a value, creating the node if absent.",
    params: [
      { name: "augpath", type: "string", of: "plain", summary: "Augeas path of the node" },
      { name: "val", type: "string", of: "plain", summary: "new string value" },
    ],
    returns: { type: "none" },
  },
  {
    name: "aug_setm",
    proc: 411,
    since: "1.23.14",
    summary: "Set the value of many Augeas nodes at once and return how many changed.",
    params: [
      { name: "base", type: "string", of: "plain", summary: "path expression selecting the base nodes" },
      { name: "sub", type: "optional-string", summary: "expression relative to each base node" },
      { name: "val", type: "string", of: "plain", summary: "new string value for each node" },
    ],
    returns: { type: "int" },
  },
  {
    name: "aug_transform",
    proc: 469,
    since: "1.35.2",
    summary: "Include or exclude a file glob for an Augeas lens.",
    params: [
      { name: "lens", type: "string", of: "plain", summary: "lens (module) name to use" },
      { name: "file", type: "string", of: "plain", summary: "file name or glob pattern" },
    ],
    optional: [
      { name: "remove", type: "bool", summary: "true excludes the file (default false)" },
    ],
    returns: { type: "none" },
  },
];
