import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RemoteError } from "guestfs";
import type { Guestfs } from "guestfs";
import { buildDebianPackage, debianPackageName } from "guestfsd/debian-package";
import { ToolError } from "../tool-error.ts";
import { nameOf, withGuestRoot } from "./guest-root.ts";
import type { OffMachine } from "./guest-root.ts";

/** What dpkg knows of our package in the machine: its version; `undefined` when it is not installed. */
async function installedVersion(g: Guestfs): Promise<string | undefined> {
  try {
    const words = await g.command(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", debianPackageName]);
    return /^installed (\S+)/.exec(words)?.[1];
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}

async function requireFit(g: Guestfs, root: string, machine: OffMachine): Promise<void> {
  const [format, architecture] = [await g.inspectGetPackageFormat(root), await g.inspectGetArch(root)];
  if (format !== "deb")
    throw new ToolError(`${nameOf(machine)}: it is no Debian, Ubuntu or their like (packages: ${format})`);
  if (architecture !== "x86_64")
    throw new ToolError(`${nameOf(machine)}: its processor is ${architecture}, and the package is for x86_64`);
}

async function dpkg(g: Guestfs, machine: OffMachine, args: readonly string[]): Promise<void> {
  try {
    await g.command(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "dpkg", ...args]);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    throw new ToolError(`${nameOf(machine)}: its dpkg failed: ${error.message}`, { cause: error });
  }
}

/**
 * Puts guestfsd into a machine that is off, by its own dpkg, so that its package management knows of it.
 * @param file - the package; made from this guestfsd and this Node when absent
 */
export async function install(machine: OffMachine, file: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "guestfs-live-"));
  try {
    const source = file ?? buildDebianPackage({ folder, compression: "none" });
    const version = await withGuestRoot(machine, false, async (g, root) => {
      await requireFit(g, root, machine);
      // A folder of its own: under a name that they know, users of the machine could have put a symlink.
      const parked = await g.mkdtemp("/var/tmp/guestfsd-live-XXXXXX");
      try {
        const archive = `${parked}/guestfsd-live.deb`;
        await g.upload(source, archive);
        await dpkg(g, machine, ["--force-confdef", "--force-confold", "--install", archive]);
      } finally {
        await g.rmRf(parked);
      }
      return installedVersion(g);
    });
    console.log(`guestfsd ${version} is installed in ${nameOf(machine)} and starts with the channel`);
    if (machine.domain !== undefined)
      console.log(`to give the machine a channel: guestfs-live enable ${machine.domain}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes guestfsd from a machine that is off, with its policy. */
export async function uninstall(machine: OffMachine): Promise<void> {
  await withGuestRoot(machine, false, async (g, root) => {
    await requireFit(g, root, machine);
    if ((await installedVersion(g)) === undefined)
      throw new ToolError(`${nameOf(machine)}: guestfsd is not installed there (no package ${debianPackageName})`);
    await dpkg(g, machine, ["--purge", debianPackageName]);
  });
  console.log(`guestfsd is removed from ${nameOf(machine)}`);
}
