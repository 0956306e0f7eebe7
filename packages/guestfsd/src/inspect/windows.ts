import type { DeviceFinder } from "./device-finder.ts";
import type { GuestReader } from "./guest-reader.ts";
import type { OperatingSystem, Role, WindowsFacts } from "./operating-system.ts";
import { parseVersion } from "./linux-release.ts";
import { Registry } from "./registry.ts";
import { driveMappings } from "./windows-drives.ts";

const usualRoots = ["/windows", "/winnt", "/win32", "/win", "/reactos"];

/** Folders that boot.ini of Windows before Vista starts from. */
function bootIniRoots(reader: GuestReader): string[] {
  const path = reader.resolveIgnoringCase("/boot.ini");
  if (path === undefined) return [];
  return reader.lines(path).flatMap((line) => {
    const match = /^(?:default=)?multi\(\d+\)disk\(\d+\)rdisk\(\d+\)partition\(\d+\)\\([^="]{1,200})/i.exec(
      line.trim(),
    );
    return match ? [`/${(match[1] ?? "").trim().replaceAll("\\", "/")}`] : [];
  });
}

function systemRootOf(reader: GuestReader): string | undefined {
  for (const candidate of [...usualRoots, ...bootIniRoots(reader)]) {
    const path = reader.resolveIgnoringCase(candidate);
    if (path === undefined) continue;
    const has = (name: string, test: (path: string) => boolean): boolean => {
      const found = reader.resolveIgnoringCase(`${path}/${name}`);
      return found !== undefined && test(found);
    };
    const folder = (found: string): boolean => reader.isDirectory(found);
    if (
      has("system32", folder) &&
      has("system32/config", folder) &&
      has("system32/cmd.exe", (found) => reader.isFile(found))
    )
      return path;
  }
  return undefined;
}

/** Windows 11 still calls itself 10: its builds begin with this one. */
const firstBuildOf11 = 22000;

function readSoftware(registry: Registry): Partial<OperatingSystem> & { groupPolicy: boolean } {
  const current = registry.node(["Microsoft", "Windows NT", "CurrentVersion"]);
  const buildId = registry.text(current, "CurrentBuildNumber") ?? registry.text(current, "CurrentBuild");
  const major = registry.number(current, "CurrentMajorVersionNumber");
  const version =
    major === undefined
      ? parseVersion(registry.text(current, "CurrentVersion"))
      : { major, minor: registry.number(current, "CurrentMinorVersionNumber") ?? 0 };
  const variant = registry.text(current, "InstallationType");
  let name = registry.text(current, "ProductName");
  if (name !== undefined && variant === "Client" && Number(buildId) >= firstBuildOf11)
    name = name.replace(/^Windows 10\b/, "Windows 11");
  return {
    ...version,
    ...(name === undefined ? {} : { productName: name }),
    ...(variant === undefined ? {} : { productVariant: variant }),
    ...(buildId === undefined ? {} : { buildId }),
    groupPolicy: registry.hasChildren(
      registry.node(["Microsoft", "Windows", "CurrentVersion", "Group Policy", "History"]),
    ),
  };
}

interface SystemFacts {
  readonly currentControlSet?: string;
  readonly hostname?: string;
  readonly driveMappings: Record<string, string>;
}

function readSystem(registry: Registry, finder: DeviceFinder): SystemFacts {
  const number = registry.number(registry.node(["Select"]), "Current");
  const currentControlSet = number === undefined ? undefined : `ControlSet${String(number).padStart(3, "0")}`;
  const parameters = currentControlSet && registry.node([currentControlSet, "Services", "Tcpip", "Parameters"]);
  const hostname = parameters ? registry.text(parameters, "Hostname") : undefined;
  return {
    ...(currentControlSet === undefined ? {} : { currentControlSet }),
    ...(hostname === undefined ? {} : { hostname }),
    driveMappings: driveMappings(registry, finder),
  };
}

/** Whether a filesystem holds an installed Windows, and which. */
export function windowsRole(reader: GuestReader, finder: DeviceFinder, root: string): Role | undefined {
  const systemRoot = systemRootOf(reader);
  if (systemRoot === undefined) return undefined;
  const hive = (name: string): string | undefined => {
    const path = reader.resolveIgnoringCase(`${systemRoot}/system32/config/${name}`);
    return path !== undefined && reader.isFile(path) ? path : undefined;
  };
  const softwareHive = hive("software");
  const systemHive = hive("system");
  const software = softwareHive === undefined ? undefined : Registry.use(reader.sysroot, softwareHive, readSoftware);
  const system =
    systemHive === undefined
      ? undefined
      : Registry.use(reader.sysroot, systemHive, (registry) => readSystem(registry, finder));
  const { groupPolicy = false, ...facts } = software ?? {};
  const windows: WindowsFacts = {
    systemRoot,
    ...(softwareHive === undefined ? {} : { softwareHive }),
    ...(systemHive === undefined ? {} : { systemHive }),
    ...(system?.currentControlSet === undefined ? {} : { currentControlSet: system.currentControlSet }),
    driveMappings: system?.driveMappings ?? {},
    groupPolicy,
  };
  const program = reader.resolveIgnoringCase(`${systemRoot}/system32/cmd.exe`);
  const arch = program === undefined ? undefined : reader.architecture([program]);
  return {
    kind: "root",
    system: {
      type: "windows",
      distro: "windows",
      ...facts,
      ...(arch === undefined ? {} : { arch }),
      ...(system?.hostname === undefined ? {} : { hostname: system.hostname }),
      mounts: [{ mountable: root, mountpoint: "/" }],
      windows,
    },
  };
}

/** FreeDOS and other kinds of DOS. */
export function dosRole(reader: GuestReader, root: string): Role | undefined {
  const has = (path: string): boolean => reader.resolveIgnoringCase(path) !== undefined;
  if (!has("/autoexec.bat") && !has("/fdauto.bat")) return undefined;
  const free = has("/kernel.sys") && (has("/freedos") || has("/fdos") || has("/fdconfig.sys"));
  if (!free && !(has("/io.sys") && has("/msdos.sys"))) return undefined;
  const system: OperatingSystem = {
    type: "dos",
    distro: free ? "freedos" : "msdos",
    arch: "i386",
    mounts: [{ mountable: root, mountpoint: "/" }],
  };
  return { kind: "root", system };
}
