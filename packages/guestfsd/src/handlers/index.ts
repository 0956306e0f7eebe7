import type { AnyHandler } from "../context.ts";
import { augeas } from "./augeas.ts";
import { btrfs } from "./btrfs.ts";
import { daemon } from "./daemon.ts";
import { extension } from "./extension.ts";
import { hivex } from "./hivex.ts";
import { internal } from "./internal.ts";
import { internalJournal, journal } from "./journal.ts";
import { ldm } from "./ldm.ts";
import { luks } from "./luks.ts";
import { lvm } from "./lvm.ts";
import { md } from "./md.ts";
import { internalSleuthkit, sleuthkit } from "./sleuthkit.ts";
import { transfer } from "./transfer.ts";
import { internalYara, yara } from "./yara.ts";

/** Every handler by the wire name of its procedure. */
export const handlers: ReadonlyMap<string, AnyHandler> = new Map(
  [
    augeas,
    btrfs,
    daemon,
    extension,
    hivex,
    internal,
    internalJournal,
    journal,
    ldm,
    luks,
    lvm,
    md,
    transfer,
    internalSleuthkit,
    internalYara,
    sleuthkit,
    yara,
  ].flatMap((topic) => Object.entries(topic) as [string, AnyHandler][]),
);
