import type { Procedure } from "../procedure.ts";

/** Calls of the topic `directory`. */
export const directory: readonly Procedure[] = [
  {
    name: "df",
    proc: 125,
    since: "1.0.54",
    summary: "Return free-space statistics of all mounted filesystems as text.",
    params: [],
    returns: { type: "string" },
  },
  {
    name: "df_h",
    proc: 126,
    since: "1.0.54",
    summary: "Return free-space statistics of mounted filesystems with human-readable units.",
    params: [],
    returns: { type: "string" },
  },
  {
    name: "du",
    proc: 127,
    since: "1.0.54",
    summary: "Estimate the disk space used by a file or tree, in kilobytes.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "file or directory to measure" },
    ],
    returns: { type: "int64" },
    progress: true,
  },
  {
    name: "fill_dir",
    proc: 348,
    since: "1.19.32",
    summary: "Populate a directory with many empty numbered files.",
    params: [
      { name: "dir", type: "string", of: "pathname", summary: "existing directory to populate" },
      { name: "nr", type: "int", summary: "number of files to create" },
    ],
    returns: { type: "none" },
  },
  {
    name: "find",
    since: "1.0.27",
    summary: "List everything below a directory recursively, as relative names.",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "top directory to walk" },
    ],
    returns: { type: "string-list" },
  },
  {
    name: "find0",
    proc: 196,
    since: "1.0.74",
    summary: "Write the recursive listing of a directory, NUL-separated, to a local file.",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "top directory to walk" },
      { name: "files", type: "string", of: "file-out", summary: "local file for the list" },
    ],
    returns: { type: "none" },
    cancellable: true,
  },
  {
    name: "glob_expand",
    proc: 113,
    since: "1.0.50",
    summary: "Return all paths matching a shell wildcard, sorted.",
    params: [
      { name: "pattern", type: "string", of: "pathname", summary: "absolute path with wildcards" },
    ],
    optional: [
      { name: "directoryslash", type: "bool", summary: "append \"/\" to directories (default true)" },
    ],
    returns: { type: "string-list" },
    onceHadNoOptionals: true,
    aliases: ["glob_expand_opts"],
  },
  {
    name: "ll",
    proc: 5,
    since: "0.0.4",
    summary: "List a directory in long \"ls -la\" style, as text for people to read.",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "directory to list" },
    ],
    returns: { type: "string" },
  },
  {
    name: "llz",
    proc: 305,
    since: "1.17.6",
    summary: "List a directory in long style including SELinux contexts; superseded by lgetxattrs.",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "directory to list" },
    ],
    returns: { type: "string" },
    deprecated: "lgetxattrs",
  },
  {
    name: "ls",
    since: "0.0.4",
    summary: "List all names in a directory, sorted, without \".\" and \"..\".",
    params: [
      { name: "directory", type: "string", of: "pathname", summary: "directory to list" },
    ],
    returns: { type: "string-list" },
  },
  {
    name: "ls0",
    proc: 347,
    since: "1.19.32",
    summary: "Write all names in a directory to a host file, each ended by a NUL byte.",
    params: [
      { name: "dir", type: "string", of: "pathname", summary: "directory to list" },
      { name: "filenames", type: "string", of: "file-out", summary: "host file that receives the names" },
    ],
    returns: { type: "none" },
  },
  {
    name: "lstat",
    since: "1.9.2",
    summary: "Return file metadata without following a final symlink; superseded by lstatns.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "file, directory or symlink to examine" },
    ],
    returns: { type: "struct", struct: "stat" },
    deprecated: "lstatns",
  },
  {
    name: "lstatlist",
    since: "1.0.77",
    summary: "Return lstat metadata for several names in one directory; superseded by lstatnslist.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "directory that holds the names" },
      { name: "names", type: "string-list", of: "filename", summary: "names in the directory, without slashes" },
    ],
    returns: { type: "struct-list", struct: "stat" },
    deprecated: "lstatnslist",
  },
  {
    name: "lstatns",
    proc: 422,
    since: "1.27.53",
    summary: "Return file metadata with nanosecond times, not following a final symlink.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "file, directory or symlink to examine" },
    ],
    returns: { type: "struct", struct: "statns" },
  },
  {
    name: "lstatnslist",
    since: "1.27.53",
    summary: "Return lstatns metadata for several names in one directory.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "directory that holds the names" },
      { name: "names", type: "string-list", of: "filename", summary: "names in the directory, without slashes" },
    ],
    returns: { type: "struct-list", struct: "statns" },
  },
  {
    name: "mkdir",
    proc: 32,
    since: "0.0.8",
    summary: "Create one directory; its parent must exist.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "directory to create" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mkdir_mode",
    proc: 202,
    since: "1.0.77",
    summary: "Create one directory with given permissions, subject to the umask.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "directory to create" },
      { name: "mode", type: "int", summary: "permission bits, such as 0755 octal" },
    ],
    returns: { type: "none" },
  },
  {
    name: "mkdir_p",
    proc: 33,
    since: "0.0.8",
    summary: "Create a directory and any missing parents.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "directory to create, may already exist" },
    ],
    returns: { type: "none" },
  },
  {
    name: "readdir",
    since: "1.0.55",
    summary: "Return all entries of a directory with inode number and file type.",
    params: [
      { name: "dir", type: "string", of: "pathname", summary: "directory to read" },
    ],
    returns: { type: "struct-list", struct: "dirent" },
    progress: true,
    cancellable: true,
  },
  {
    name: "rm_rf",
    proc: 31,
    since: "0.0.8",
    summary: "Delete a file or directory and everything below it.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "file or directory to delete, may be missing" },
    ],
    returns: { type: "none" },
  },
  {
    name: "rmdir",
    proc: 30,
    since: "0.0.8",
    summary: "Delete one empty directory.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "empty directory to delete" },
    ],
    returns: { type: "none" },
  },
];
