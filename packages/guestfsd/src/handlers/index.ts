import type { AnyHandler } from "../context.ts";
import { archive } from "./archive.ts";
import { attributes } from "./attributes.ts";
import { augeas } from "./augeas.ts";
import { btrfs } from "./btrfs.ts";
import { daemon } from "./daemon.ts";
import { debug } from "./debug.ts";
import { directory } from "./directory.ts";
import { extension } from "./extension.ts";
import { file } from "./file.ts";
import { hivex } from "./hivex.ts";
import { initrd } from "./initrd.ts";
import { inotify } from "./inotify.ts";
import { internal } from "./internal.ts";
import { internalJournal, journal } from "./journal.ts";
import { ldm } from "./ldm.ts";
import { luks } from "./luks.ts";
import { lvm } from "./lvm.ts";
import { md } from "./md.ts";
import { retired } from "./retired.ts";
import { internalSleuthkit, sleuthkit } from "./sleuthkit.ts";
import { text } from "./text.ts";
import { transfer } from "./transfer.ts";
import { internalYara, yara } from "./yara.ts";

/** Every handler by the wire name of its procedure. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [
    archive,
    attributes,
    augeas,
    btrfs,
    daemon,
    debug,
    directory,
    extension,
    file,
    hivex,
    initrd,
    inotify,
    internal,
    internalJournal,
    internalSleuthkit,
    internalYara,
    journal,
    ldm,
    luks,
    lvm,
    md,
    retired,
    sleuthkit,
    text,
    transfer,
    yara,
  ].flatMap((topic) => Object.entries(topic) as [string, AnyHandler][]),
);
