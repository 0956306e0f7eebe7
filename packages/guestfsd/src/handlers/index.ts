import type { AnyHandler } from "../context.ts";
import { archive } from "./archive.ts";
import { attributes } from "./attributes.ts";
import { augeas } from "./augeas.ts";
import { bootloader } from "./bootloader.ts";
import { btrfs } from "./btrfs.ts";
import { daemon } from "./daemon.ts";
import { debug } from "./debug.ts";
import { device } from "./device.ts";
import { directory } from "./directory.ts";
import { extension } from "./extension.ts";
import { f2fs } from "./f2fs.ts";
import { file } from "./file.ts";
import { filesystem } from "./filesystem.ts";
import { hivex } from "./hivex.ts";
import { initrd } from "./initrd.ts";
import { inotify } from "./inotify.ts";
import { inspect } from "./inspect.ts";
import { internal } from "./internal.ts";
import { internalJournal, journal } from "./journal.ts";
import { ldm } from "./ldm.ts";
import { luks } from "./luks.ts";
import { lvm } from "./lvm.ts";
import { md } from "./md.ts";
import { mount } from "./mount.ts";
import { ntfs } from "./ntfs.ts";
import { partition } from "./partition.ts";
import { retired } from "./retired.ts";
import { rsync } from "./rsync.ts";
import { scrub } from "./scrub.ts";
import { internalRpm } from "./rpm.ts";
import { internalSleuthkit, sleuthkit } from "./sleuthkit.ts";
import { swap } from "./swap.ts";
import { text } from "./text.ts";
import { transfer } from "./transfer.ts";
import { xfs } from "./xfs.ts";
import { internalYara, yara } from "./yara.ts";

/** Every handler by the wire name of its procedure. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [
    archive,
    attributes,
    augeas,
    bootloader,
    btrfs,
    daemon,
    debug,
    device,
    directory,
    extension,
    f2fs,
    file,
    filesystem,
    hivex,
    initrd,
    inotify,
    inspect,
    internal,
    internalJournal,
    internalRpm,
    internalSleuthkit,
    internalYara,
    journal,
    ldm,
    luks,
    lvm,
    md,
    mount,
    ntfs,
    partition,
    retired,
    rsync,
    scrub,
    sleuthkit,
    swap,
    text,
    transfer,
    xfs,
    yara,
  ].flatMap((topic) => Object.entries(topic) as [string, AnyHandler][]),
);
