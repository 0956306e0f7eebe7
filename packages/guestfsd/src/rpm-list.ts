import { messageMax } from "@guestfs/protocol";
import type { StructMap } from "@guestfs/schema";
import { fstatSync } from "node:fs";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { run } from "./exec.ts";
import { programExists } from "./groups.ts";
import { textUntilNul } from "./guest-text.ts";
import { O_PATH } from "./native/file.ts";

const databases = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const fields = ["NAME", "EPOCH", "VERSION", "RELEASE", "ARCH", "URL", "SUMMARY", "DESCRIPTION"];
const fieldEnd = "\x1f";
const recordEnd = "\x1e";

function findDatabase(context: Context): string {
  for (const path of databases) {
    try {
      if (context.sysroot.withOpen(path, O_PATH, (fd) => fstatSync(fd).isDirectory()))
        return context.sysroot.outside(path);
    } catch {
      // The next one, then.
    }
  }
  throw new DaemonError(`no RPM database in ${databases.join(" or ")}`, "ENOENT");
}

/** The packages in the guest's RPM database. */
export function listRpmApplications(context: Context): StructMap["application2"][] {
  if (!programExists("rpm")) throw new DaemonError("rpm is not installed here", "ENOTSUP");
  const format = `${fields.map((field) => `%|${field}?{%{${field}}}|`).join(fieldEnd)}${recordEnd}`;
  const { stdout } = run(["rpm", "--dbpath", findDatabase(context), "-qa", "--qf", format], {
    pulse: context.pulse,
    outputMax: 4 * messageMax,
  });
  const records = textUntilNul(stdout).split(recordEnd).slice(0, -1);
  return records.map((record) => {
    const [name = "", epoch = "", version = "", release = "", arch = "", url = "", summary = "", description = ""] =
      record.split(fieldEnd);
    return {
      app2_name: name,
      app2_display_name: "",
      app2_epoch: Number.parseInt(epoch, 10) || 0,
      app2_version: version,
      app2_release: release,
      app2_arch: arch,
      app2_install_path: "",
      app2_trans_path: "",
      app2_publisher: "",
      app2_url: url,
      app2_source_package: "",
      app2_summary: summary,
      app2_description: description,
      app2_class: "",
      app2_spare2: "",
      app2_spare3: "",
      app2_spare4: "",
    };
  });
}
