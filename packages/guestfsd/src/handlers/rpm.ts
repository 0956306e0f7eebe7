import type { StructMap } from "@guestfs/schema";
import { constants, copyFileSync, fstatSync } from "node:fs";
import { join } from "node:path";
import { checkRootMounted } from "../argument-check.ts";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { readRpmDatabase } from "../native/rpm.ts";
import type { RpmPackage } from "../native/rpm.ts";
import { ReplyRoom } from "../reply-room.ts";
import { withScratchFolder } from "../scratch-folder.ts";
import { descriptorPath } from "../sysroot.ts";

/** Where the database is, and where it has been since Fedora 36. */
const folders = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"];
/** Of its kinds: SQLite, ndb and Berkeley DB. */
const files = ["rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Index.db", "Packages"];
const databaseMax = 512 * 1024 * 1024;

function application(entry: RpmPackage): StructMap["application2"] {
  return {
    app2_name: entry.name,
    app2_display_name: "",
    app2_epoch: entry.epoch,
    app2_version: entry.version,
    app2_release: entry.release,
    app2_arch: entry.arch,
    app2_install_path: "",
    app2_trans_path: "",
    app2_publisher: entry.vendor,
    app2_url: entry.url,
    app2_source_package: entry.source,
    app2_summary: entry.summary,
    app2_description: entry.description,
    app2_class: "",
    app2_spare2: "",
    app2_spare3: "",
    app2_spare4: "",
  };
}

/** Copies what is there of the database out of the guest, so that librpm neither writes in it nor follows its symlinks. */
function copyDatabase(context: Context, target: string): boolean {
  let left = databaseMax;
  let found = false;
  for (const folder of folders) {
    for (const name of files) {
      try {
        context.sysroot.withOpen(
          `${folder}/${name}`,
          constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
          (fd) => {
            const stat = fstatSync(fd);
            if (!stat.isFile()) return;
            left -= stat.size;
            if (left < 0) throw new DaemonError(`${folder}: RPM's database is over ${databaseMax} bytes`, "EFBIG");
            copyFileSync(descriptorPath(fd), join(target, name));
            found = true;
          },
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    if (found) return true;
  }
  return false;
}

/** What the library composes `inspect_list_applications2` of. */
export const internalRpm: Pick<HandlersOf<"internal">, "internal_list_rpm_applications"> = {
  internal_list_rpm_applications(_, context) {
    checkRootMounted(context.state);
    return withScratchFolder(context.state, (folder, withPlainPath) => {
      if (!copyDatabase(context, folder)) throw new DaemonError("no database of RPM is there", "ENOENT");
      const room = new ReplyRoom();
      const found: StructMap["application2"][] = [];
      withPlainPath((path) =>
        readRpmDatabase(path, (entry) => {
          context.pulse();
          const made = application(entry);
          for (const value of Object.values(made)) room.takeString(String(value).length);
          found.push(made);
        }),
      );
      return found;
    });
  },
};
