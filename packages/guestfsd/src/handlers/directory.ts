import { messageMax } from "@guestfs/protocol";
import { constants, mkdirSync, rmdirSync, unlinkSync, lstatSync } from "node:fs";
import type { Context, HandlersOf, OutputContext } from "../context.ts";
import { checkRootMounted } from "../argument-check.ts";
import { ConversationEndedError, DaemonError, DownloadCancelledError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { findFormats, sendFound } from "../find-program.ts";
import { expandGlob } from "../glob.ts";
import { textUntilNul } from "../guest-text.ts";
import { isDots, readDirectory } from "../native/directory.ts";
import { O_DIRECTORY, O_PATH } from "../native/file.ts";
import { statName } from "../native/stat.ts";
import { fsPath } from "../sysroot.ts";
import { walkTree } from "../tree-walk.ts";
import { checkMode } from "./file-attribute.ts";
import { typeOf } from "./file-test.ts";

const openFolder = constants.O_RDONLY | O_DIRECTORY;
const zero = Buffer.alloc(1);
const blocksPerKilobyte = 2;

/** Gathers small pieces, so that each does not become a chunk of its own. */
function gatherer(write: (data: Uint8Array) => void): { add(...parts: readonly Buffer[]): void; end(): void } {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let length = 0;
  const end = (): void => {
    if (length > 0) write(buffer.subarray(0, length));
    length = 0;
  };
  return {
    end,
    add(...parts) {
      for (const part of parts) {
        if (length + part.length > buffer.length) end();
        if (part.length > buffer.length) write(part);
        else length += part.copy(buffer, length);
      }
    },
  };
}

function makeFolder(context: Context, path: string, mode: number): void {
  context.sysroot.withPlace(path, (place) => {
    if (place.name === ".") throw new DaemonError(`${path}: File exists`, "EEXIST");
    mkdirSync(fsPath(place.path), mode);
  });
}

function isFolder(context: Context, path: string): boolean {
  return typeOf(context, path, true) === constants.S_IFDIR;
}

function makeFolders(context: Context, path: string): void {
  if (isFolder(context, path)) return;
  const elements = path.split("/").filter((element) => element !== "");
  let made = "";
  for (const element of elements) {
    made += `/${element}`;
    try {
      makeFolder(context, made, 0o777);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" && !isFolder(context, made)) throw error;
      if (!isFolder(context, made)) throw new DaemonError(`${made}: Not a directory`, "ENOTDIR", { cause: error });
    }
  }
}

function removeTree(context: Context, path: string): void {
  try {
    context.sysroot.withPlace(path, (held) => {
      if (held.name === ".") throw new DaemonError(`${path}: the top of a tree can't be removed`);
      if (!lstatSync(fsPath(held.path)).isDirectory()) unlinkSync(fsPath(held.path));
      else run(["rm", "-rf", "--", `./${held.name}`], { directory: held.folder, pulse: context.pulse });
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}

/** ls(1): a folder's content, or the line of anything else. */
function longListing(context: Context, path: string, option: string): string {
  const options = { pulse: context.pulse, outputMax: messageMax };
  if (isFolder(context, path))
    return context.sysroot.withOpen(path, O_PATH | O_DIRECTORY, (fd) =>
      textUntilNul(run(["ls", option], { ...options, directory: fd }).stdout),
    );
  if (typeOf(context, path, false) === undefined) throw new DaemonError(`${path}: No such file or directory`, "ENOENT");
  return context.sysroot.withPlace(path, (place) =>
    textUntilNul(run(["ls", option, "--", place.name], { ...options, directory: place.folder }).stdout),
  );
}

function diskSpace(context: Context, options: readonly string[]): string {
  checkRootMounted(context.state);
  return textUntilNul(run(["df", ...options], { pulse: context.pulse }).stdout);
}

/** Sends the path of everything below a folder. */
function sendPaths(context: OutputContext, folder: number): void {
  try {
    sendFound(context, folder, findFormats.path);
  } catch (error) {
    // Not every find(1) can do that, and not every machine has one.
    if (error instanceof DownloadCancelledError || error instanceof ConversationEndedError || context.output.sent > 0)
      throw error;
    const paths = gatherer((data) => context.output.write(data));
    for (const { prefix, name } of walkTree(folder, context.pulse)) paths.add(prefix, name, zero);
    paths.end();
  }
}

/** Folders and what is in them. */
export const directory: HandlersOf<"directory"> = {
  df: (_, context) => diskSpace(context, []),
  df_h: (_, context) => diskSpace(context, ["-h"]),
  du({ path }, context) {
    const type = typeOf(context, path, false);
    if (type !== undefined && type !== constants.S_IFDIR) {
      const { st_blocks } = context.sysroot.withPlace(path, (place) => statName(place.folder, place.name));
      return Math.ceil(st_blocks / blocksPerKilobyte);
    }
    const output = context.sysroot.withOpen(path, openFolder, (fd) =>
      run(["du", "-s", "-k", "."], { directory: fd, pulse: context.pulse }),
    );
    return Number.parseInt(output.stdout.toString("latin1"), 10);
  },
  fill_dir({ dir, nr }, context) {
    context.sysroot.withOpen(dir, O_PATH | O_DIRECTORY, () => {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK;
      for (let i = 0; i < nr; i++) {
        context.sysroot.withOpen(`${dir}/${String(i).padStart(8, "0")}`, flags, () => undefined, 0o666);
        context.pulse();
      }
    });
  },
  find0: ({ directory: top }, context) => context.sysroot.withOpen(top, openFolder, (fd) => sendPaths(context, fd)),
  glob_expand: ({ pattern, directoryslash }, context) => expandGlob(context, pattern, directoryslash ?? true),
  ll: ({ directory: path }, context) => longListing(context, path, "-la"),
  llz: ({ directory: path }, context) => longListing(context, path, "-laZ"),
  ls0({ dir }, context) {
    const names = gatherer((data) => context.output.write(data));
    context.sysroot.withOpen(dir, openFolder, (fd) =>
      readDirectory(fd, ({ name }) => {
        if (!isDots(name)) names.add(name, zero);
      }),
    );
    names.end();
  },
  lstatns: ({ path }, context) => context.sysroot.withPlace(path, (place) => statName(place.folder, place.name)),
  mkdir: ({ path }, context) => makeFolder(context, path, 0o777),
  mkdir_mode({ path, mode }, context) {
    checkMode(mode);
    makeFolder(context, path, mode);
  },
  mkdir_p: ({ path }, context) => makeFolders(context, path),
  rm_rf: ({ path }, context) => removeTree(context, path),
  rmdir({ path }, context) {
    context.sysroot.withPlace(path, (place) => rmdirSync(fsPath(place.path)));
  },
};
