import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { virsh, VirshError } from "guestfs/internal";
import type { LibvirtConnection } from "guestfs/internal";
import { ToolError } from "../tool-error.ts";

/** A domain of libvirt, as the command line names it. */
export interface Domain {
  readonly connection: LibvirtConnection;
  readonly name: string;
}

/** Runs what asks libvirt, and makes one message with the way out of what it says when it fails. */
export async function withLibvirt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VirshError)) throw error;
    throw new ToolError(error.fix === "" ? error.message : `${error.message}\nTo fix it: ${error.fix}`, {
      cause: error,
    });
  }
}

/** Text as it stands in an attribute of XML. */
export const quoted = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");

/** A device to give to a domain, or to take from it: now, as it runs, or for its next start. */
export interface DeviceChange {
  readonly verb: "attach-device" | "detach-device";
  /** The device, as libvirt describes it. */
  readonly xml: string;
  readonly when: "live" | "config";
}

/** @throws VirshError */
export async function changeDevice({ connection }: Domain, uuid: string, change: DeviceChange): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-live-"));
  try {
    const file = join(folder, "device.xml");
    writeFileSync(file, change.xml);
    await virsh(connection, [change.verb, "--domain", uuid, "--file", file, `--${change.when}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
