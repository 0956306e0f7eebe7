import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { inspectAll, inspected, inspectedRoots } from "../inspect/inspection.ts";
import type { OperatingSystem, WindowsFacts } from "../inspect/operating-system.ts";
import { packageFormat, packageManagement } from "../inspect/package-kind.ts";

interface Root {
  readonly root: string;
}

/** A handler for one text of what is known. */
function text(select: (system: OperatingSystem) => string | undefined): (args: Root, context: Context) => string {
  return ({ root }, context) => select(inspected(context, root)) ?? "unknown";
}

function windowsOf({ root }: Root, context: Context): WindowsFacts {
  const { windows } = inspected(context, root);
  if (!windows) throw new DaemonError(`${root}: not a Windows guest, or its system folder could not be found`);
  return windows;
}

function windowsText(
  name: "softwareHive" | "systemHive" | "currentControlSet",
): (args: Root, context: Context) => string {
  return (args, context) => {
    const value = windowsOf(args, context)[name];
    if (value === undefined) throw new DaemonError(`${args.root}: this Windows has no such thing that could be found`);
    return value;
  };
}

function never({ root }: Root, context: Context): boolean {
  inspected(context, root);
  return false;
}

/** Which operating systems are on the disks. */
export const inspect: HandlersOf<"inspect"> = {
  inspect_os: (_, context) => inspectAll(context),
  inspect_get_roots: (_, context) => inspectedRoots(context),

  inspect_get_type: text((system) => system.type),
  inspect_get_distro: text((system) => system.distro),
  inspect_get_arch: text((system) => system.arch),
  inspect_get_hostname: text((system) => system.hostname),
  inspect_get_product_name: text((system) => system.productName),
  inspect_get_product_variant: text((system) => system.productVariant),
  inspect_get_build_id: text((system) => system.buildId),
  inspect_get_package_format: text(packageFormat),
  inspect_get_package_management: text(packageManagement),
  inspect_get_format: text(() => "installed"),
  inspect_get_major_version: ({ root }, context) => inspected(context, root).major ?? 0,
  inspect_get_minor_version: ({ root }, context) => inspected(context, root).minor ?? 0,
  inspect_is_live: never,
  inspect_is_multipart: never,
  inspect_is_netinst: never,

  inspect_get_mountpoints({ root }, context) {
    const mounts = inspected(context, root).mounts.filter(({ mountpoint }) => mountpoint.startsWith("/"));
    return Object.fromEntries(mounts.map(({ mountpoint, mountable }) => [mountpoint, mountable]));
  },
  inspect_get_filesystems({ root }, context) {
    const mountables = inspected(context, root).mounts.map(({ mountable }) => mountable);
    return [...new Set(mountables)].toSorted();
  },

  inspect_get_windows_systemroot: (args, context) => windowsOf(args, context).systemRoot,
  inspect_get_windows_software_hive: windowsText("softwareHive"),
  inspect_get_windows_system_hive: windowsText("systemHive"),
  inspect_get_windows_current_control_set: windowsText("currentControlSet"),
  inspect_get_windows_group_policy: (args, context) => windowsOf(args, context).groupPolicy,
  inspect_get_drive_mappings: ({ root }, context) => ({ ...inspected(context, root).windows?.driveMappings }),
};
