import type { ApplianceDrive } from "@guestfs/appliance";
import type { CallContext } from "../call-context.ts";
import { DiskError, readDomainDisk } from "../libvirt/domain-disk.ts";
import type { DomainDisk } from "../libvirt/domain-disk.ts";
import { findDomain } from "../libvirt/domain.ts";
import type { Domain } from "../libvirt/domain.ts";
import { VirshError } from "../libvirt/virsh.ts";
import type { LibvirtConnection } from "../libvirt/virsh.ts";
import { checkDrive } from "../drives.ts";
import { GuestfsError } from "../errors.ts";
import type { AddDomainOptions } from "../gen/api.ts";
import { requireConfig } from "../state.ts";

const readonlyDiskPolicies = ["error", "read", "write", "ignore"] as const;
type ReadonlyDiskPolicy = (typeof readonlyDiskPolicies)[number];

function policyOf(procedure: string, text: string | undefined): ReadonlyDiskPolicy {
  const policy = readonlyDiskPolicies.find((name) => name === (text ?? "write"));
  if (policy === undefined)
    throw new RangeError(
      `${procedure}: readonlydisk: ${JSON.stringify(text)} is none of ${readonlyDiskPolicies.join(", ")}`,
    );
  return policy;
}

/** What says which connection a command means, with a space behind it. */
function connectionOption({ uri }: LibvirtConnection): string {
  return uri === undefined ? "" : `-c ${uri} `;
}

function withoutChannel(procedure: string, connection: LibvirtConnection, { name, channels }: Domain): GuestfsError {
  const uri = connectionOption(connection);
  if (channels.length > 0)
    return new GuestfsError(
      "LOCAL",
      `the machine ${name} runs and has the channel ${channels[0]?.port}, but libvirt gives no socket of this host for it (its source has to be mode='bind')`,
      { procedure },
    );
  return new GuestfsError(
    "LOCAL",
    [
      `the machine ${name} runs and has no channel for guestfsd. It needs this in its <devices>:`,
      "",
      "  <channel type='unix'>",
      "    <target type='virtio' name='org.libguestfs.channel.0'/>",
      "  </channel>",
      "",
      `To add it, also while the machine runs: guestfs-live ${uri}enable ${name}`,
      `or, with the XML in channel.xml: virsh ${uri}attach-device ${name} channel.xml --live --config`,
    ].join("\n"),
    { procedure },
  );
}

function attachLive(context: CallContext, connection: LibvirtConnection, domain: Domain, readonly: boolean): void {
  const channels = domain.channels.flatMap(({ port, path }) => (path === undefined ? [] : [{ port, path }]));
  const [first] = channels;
  if (!first) throw withoutChannel(context.procedure, connection, domain);
  const { name, uuid, window } = domain;
  context.handle.settings.attachMethod = {
    type: "unix",
    path: first.path,
    live: { connection, name, uuid, channels, window: window?.path, readonly },
  };
}

function isReadonly(disk: DomainDisk, readonly: boolean, policy: ReadonlyDiskPolicy): boolean {
  return readonly || (disk.readonly && policy === "read");
}

async function addDisks(
  context: CallContext,
  connection: LibvirtConnection,
  domain: Domain,
  options: AddDomainOptions,
): Promise<number> {
  const { handle, procedure } = context;
  const { readonly = false, iface, cachemode, discard, copyonread } = options;
  const policy = policyOf(procedure, options.readonlydisk);
  const found: DomainDisk[] = [];
  for (const element of domain.disks) {
    const disk = await readDomainDisk(connection, element, context.signal);
    if (disk && !(disk.readonly && policy === "ignore")) found.push(disk);
  }
  const refused = policy === "error" && !readonly ? found.find((disk) => disk.readonly) : undefined;
  if (refused)
    throw new GuestfsError(
      "LOCAL",
      `the disk ${refused.filename} of ${domain.name} is read-only (readonlydisk: error)`,
      {
        procedure,
      },
    );
  const drives: ApplianceDrive[] = [];
  for (const disk of found) {
    const drive = await checkDrive(procedure, disk.filename, {
      ...disk.options,
      readonly: isReadonly(disk, readonly, policy),
      ...(iface === undefined ? {} : { iface }),
      ...(cachemode === undefined ? {} : { cachemode }),
      ...(discard === undefined ? {} : { discard }),
      ...(copyonread === undefined ? {} : { copyonread }),
    });
    const isTaken = [...handle.drives.list(), ...drives].some((other) => other.label === disk.serial);
    const label = isTaken ? "" : disk.serial;
    drives.push({
      ...drive,
      ...(label === "" ? {} : { label }),
      // What libvirt calls qcow2 was made by this host's people, and libvirt opens its backing files as well.
      ...(drive.format !== undefined && drive.format !== "raw" ? { allowOtherFiles: "recorded" } : {}),
    });
  }
  try {
    for (const drive of drives) handle.drives.add(procedure, drive);
  } catch (error) {
    // All of them or none.
    for (const drive of drives) handle.drives.drop(drive);
    throw error;
  }
  return drives.length;
}

async function add(context: CallContext, name: string, options: AddDomainOptions): Promise<number> {
  const { procedure, signal } = context;
  const { live = false, readonly = false, allowuuid = false, libvirturi } = options;
  requireConfig(context.handle.state, procedure);
  policyOf(procedure, options.readonlydisk);
  const connection = { uri: libvirturi };
  const domain = await findDomain({ connection, name, allowUuid: allowuuid }, signal);
  if (domain.active && live) {
    attachLive(context, connection, domain, readonly);
    return 0;
  }
  if (domain.active && !readonly)
    throw new GuestfsError(
      "LOCAL",
      `the machine ${domain.name} runs, and writing to its disks behind its back destroys them: use it live, or only to read (readonly; --ro), or shut it down`,
      { procedure },
    );
  return addDisks(context, connection, domain, options);
}

/**
 * Adds a domain of libvirt's: its disks, or, with `live` and when it runs, the daemon inside it.
 * @returns how many disks were added
 * @throws GuestfsError with code LOCAL, RangeError
 */
export async function addDomain(context: CallContext, name: string, options: AddDomainOptions): Promise<number> {
  try {
    return await add(context, name, options);
  } catch (error) {
    const { procedure } = context;
    if (error instanceof VirshError) {
      const message = error.fix === "" ? error.message : `${error.message}\nTo fix it: ${error.fix}`;
      throw new GuestfsError("LOCAL", message, { procedure, cause: error });
    }
    if (error instanceof DiskError)
      throw new GuestfsError("LOCAL", `${name}: ${error.message}`, { procedure, cause: error });
    throw error;
  }
}
