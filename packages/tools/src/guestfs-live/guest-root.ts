import { Guestfs } from "guestfs";
import { ToolError } from "../tool-error.ts";

/** A machine that is off, as the command line names it. */
export interface OffMachine {
  readonly disks: readonly string[];
  readonly domain: string | undefined;
  readonly connect: string | undefined;
  readonly format: string | undefined;
  readonly verbose: boolean;
}

/** How the machine is called in messages. */
export function nameOf({ disks, domain }: OffMachine): string {
  return domain ?? disks.join(", ");
}

/** Mounts the file systems of the only operating system there is. @returns its root device */
async function mountSystem(g: Guestfs, machine: OffMachine, readonly: boolean): Promise<string> {
  const roots = await g.inspectOs();
  const [root] = roots;
  if (root === undefined) throw new ToolError(`${nameOf(machine)}: no operating system was found on it`);
  if (roots.length > 1)
    throw new ToolError(
      `${nameOf(machine)}: it has ${roots.length} operating systems (${roots.join(", ")}), and only machines with one are supported`,
    );
  const mountpoints = Object.entries(await g.inspectGetMountpoints(root));
  // A folder is mounted before what is mounted in it.
  for (const [mountpoint, device] of mountpoints.sort(([a], [b]) => a.length - b.length)) {
    // Like other tools: what a stale fstab still names is not needed for this.
    await (readonly ? g.mountRo(device, mountpoint) : g.mount(device, mountpoint)).catch((error: unknown) => {
      if (mountpoint === "/") throw error;
    });
  }
  return root;
}

/**
 * Starts the appliance on the disks of a machine that is off, with its filesystems mounted, and gives it to `work`. They
 * are flushed and unmounted in the end, however it ends.
 * @param readonly - no byte of the disks changes, whatever the work does
 */
export async function withGuestRoot<Result>(
  machine: OffMachine,
  readonly: boolean,
  work: (g: Guestfs, root: string) => Promise<Result>,
): Promise<Result> {
  await using g = new Guestfs();
  if (machine.verbose) g.setVerbose(true);
  if (machine.domain === undefined) {
    for (const disk of machine.disks)
      await g.addDrive(disk, { readonly, ...(machine.format === undefined ? {} : { format: machine.format }) });
  } else {
    const { connect: libvirturi } = machine;
    await g.addDomain(machine.domain, { readonly, ...(libvirturi === undefined ? {} : { libvirturi }) });
  }
  await g.launch();
  const root = await mountSystem(g, machine, readonly);
  const result = await work(g, root);
  await g.umountAll();
  await g.shutdown();
  return result;
}
