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

async function mountSystem(g: Guestfs, machine: OffMachine): Promise<void> {
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
    await g.mount(device, mountpoint).catch((error: unknown) => {
      if (mountpoint === "/") throw error;
    });
  }
  const [format, architecture] = [await g.inspectGetPackageFormat(root), await g.inspectGetArch(root)];
  if (format !== "deb")
    throw new ToolError(`${nameOf(machine)}: it is no Debian, Ubuntu or their like (packages: ${format})`);
  if (architecture !== "x86_64")
    throw new ToolError(`${nameOf(machine)}: its processor is ${architecture}, and the package is for x86_64`);
}

/**
 * Starts the appliance on the disks of a machine that is off, with its filesystems mounted for writing, and gives it to
 * `work`. They are flushed and unmounted in the end, however it ends.
 */
export async function withGuestRoot<Result>(
  machine: OffMachine,
  work: (g: Guestfs) => Promise<Result>,
): Promise<Result> {
  await using g = new Guestfs();
  if (machine.verbose) g.setVerbose(true);
  if (machine.domain === undefined) {
    for (const disk of machine.disks)
      await g.addDrive(disk, machine.format === undefined ? {} : { format: machine.format });
  } else {
    await g.addDomain(machine.domain, machine.connect === undefined ? {} : { libvirturi: machine.connect });
  }
  await g.launch();
  await mountSystem(g, machine);
  const result = await work(g);
  await g.umountAll();
  await g.shutdown();
  return result;
}
