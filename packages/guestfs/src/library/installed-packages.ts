import { decodeText } from "@guestfs/protocol";
import type { Application2 } from "@guestfs/schema";
import type { CallContext } from "../call-context.ts";

/** An application of which nothing is known but what is given. */
export function application(known: Partial<Application2>): Application2 {
  return {
    app2_name: "",
    app2_display_name: "",
    app2_epoch: 0,
    app2_version: "",
    app2_release: "",
    app2_arch: "",
    app2_install_path: "",
    app2_trans_path: "",
    app2_publisher: "",
    app2_url: "",
    app2_source_package: "",
    app2_summary: "",
    app2_description: "",
    app2_class: "",
    app2_spare2: "",
    app2_spare3: "",
    app2_spare4: "",
    ...known,
  };
}

/** Most bytes of a package database: some ten times what the largest installations have. */
const databaseMax = 64 * 1024 * 1024;

function read(context: CallContext, path: string, limit: number): Promise<Uint8Array> {
  return context.callForContent("download", { remotefilename: path }, limit);
}

/** Paragraphs of `Field: value` lines; a line that begins with a blank goes on with the field above. */
function* paragraphs(content: string): Generator<ReadonlyMap<string, string>, void, void> {
  for (let start = 0, end = 0; start < content.length; start = end + 2) {
    const found = content.indexOf("\n\n", start);
    end = found < 0 ? content.length : found;
    const paragraph = content.slice(start, end);
    if (paragraph.trim() === "") continue;
    const fields = new Map<string, string>();
    let last = "";
    for (const line of paragraph.split("\n")) {
      const match = /^([^\s:]+):[ \t]?(.*)$/.exec(line);
      if (match) fields.set((last = match[1] as string), match[2] as string);
      else if (last !== "") fields.set(last, `${fields.get(last)}\n${line.replace(/^ \.?/, "")}`);
    }
    yield fields;
  }
}

/** `[epoch:]version[-release]` of Debian and its kin. */
function splitVersion(full: string): Pick<Application2, "app2_epoch" | "app2_version" | "app2_release"> {
  const match = /^(?:([0-9]+):)?(.*?)(?:-([^-]*))?$/.exec(full);
  return { app2_epoch: Number(match?.[1] ?? 0), app2_version: match?.[2] ?? full, app2_release: match?.[3] ?? "" };
}

/** What dpkg has installed (deb(5), the status file). */
export async function debianApplications(context: CallContext): Promise<Application2[]> {
  const found: Application2[] = [];
  for (const fields of paragraphs(decodeText(await read(context, "/var/lib/dpkg/status", databaseMax)))) {
    if (fields.get("Status")?.endsWith(" installed") !== true) continue;
    const [summary = "", ...description] = (fields.get("Description") ?? "").split("\n");
    found.push(
      application({
        app2_name: fields.get("Package") ?? "",
        ...splitVersion(fields.get("Version") ?? ""),
        app2_arch: fields.get("Architecture") ?? "",
        app2_url: fields.get("Homepage") ?? "",
        app2_source_package: (fields.get("Source") ?? "").replace(/ .*/, ""),
        app2_summary: summary,
        app2_description: description.join("\n"),
      }),
    );
  }
  return found;
}

/** What apk has installed (apk-package(5)): one letter for each field. */
export async function apkApplications(context: CallContext): Promise<Application2[]> {
  const content = decodeText(await read(context, "/lib/apk/db/installed", databaseMax));
  return Array.from(paragraphs(content), (fields) => {
    const match = /^(.*?)(?:-r([0-9]+))?$/.exec(fields.get("V") ?? "");
    return application({
      app2_name: fields.get("P") ?? "",
      app2_version: match?.[1] ?? "",
      app2_release: match?.[2] ?? "",
      app2_arch: fields.get("A") ?? "",
      app2_url: fields.get("U") ?? "",
      app2_source_package: fields.get("o") ?? "",
      app2_publisher: fields.get("m") ?? "",
      app2_summary: fields.get("T") ?? "",
    });
  });
}

/** What pacman has installed: a folder for each package, with a file of `%FIELD%` sections. */
export async function pacmanApplications(context: CallContext): Promise<Application2[]> {
  const database = "/var/lib/pacman/local";
  const found: Application2[] = [];
  let left = databaseMax;
  for (const path of await context.call("glob_expand", { pattern: `${database}/*/desc` })) {
    const fields = new Map<string, string>();
    const content = await read(context, path, left);
    left -= content.length;
    for (const section of decodeText(content).split(/\n{2,}/)) {
      const match = /^%([A-Z0-9]+)%\n([^]*)$/.exec(section.trim());
      if (match) fields.set(match[1] as string, match[2] as string);
    }
    found.push(
      application({
        app2_name: fields.get("NAME") ?? "",
        ...splitVersion(fields.get("VERSION") ?? ""),
        app2_arch: fields.get("ARCH") ?? "",
        app2_url: fields.get("URL") ?? "",
        app2_publisher: fields.get("PACKAGER") ?? "",
        app2_source_package: fields.get("BASE") ?? "",
        app2_summary: fields.get("DESC") ?? "",
      }),
    );
  }
  return found;
}
