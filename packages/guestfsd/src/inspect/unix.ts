import type { DeviceFinder } from "./device-finder.ts";
import { mountsOf } from "./fstab.ts";
import type { GuestReader } from "./guest-reader.ts";
import { linuxRelease, parseOsRelease, parseVersion } from "./linux-release.ts";
import type { OperatingSystem, Role } from "./operating-system.ts";
import { parseShellVariables } from "./shell-variables.ts";

const programs = ["bash", "ls", "echo", "rm", "sh"];
const inFolder = (folder: string): string[] => programs.map((name) => `${folder}/${name}`);

function fqdn(text: string | undefined): string | undefined {
  return text && text.length <= 255 && !/\s/.test(text) ? text : undefined;
}

function linuxHostname(reader: GuestReader, distro: string | undefined): string | undefined {
  if (distro !== "rhel" && distro !== "fedora") {
    const suse = fqdn(reader.firstLine("/etc/HOSTNAME"));
    if (suse !== undefined) return suse;
  }
  const plain = reader
    .lines("/etc/hostname")
    .map((line) => line.trim())
    .find((line) => line !== "" && !line.startsWith("#"));
  if (fqdn(plain) !== undefined) return plain;
  const redHat = parseShellVariables(reader.lines("/etc/sysconfig/network")).get("HOSTNAME");
  if (fqdn(redHat) !== undefined) return redHat;
  return fqdn(parseShellVariables(reader.lines("/etc/conf.d/hostname")).get("hostname"));
}

function isLinuxRoot(reader: GuestReader): boolean {
  if (!reader.isDirectory("/etc") || !reader.isDirectoryOrLink("/bin")) return false;
  return reader.isFile("/etc/fstab") || reader.isFile("/etc/os-release") || reader.isFile("/usr/lib/os-release");
}

function linux(reader: GuestReader, finder: DeviceFinder, root: string): OperatingSystem {
  const release = linuxRelease(reader);
  const arch = reader.architecture([...inFolder("/bin"), ...inFolder("/usr/bin")]);
  const hostname = linuxHostname(reader, release.distro);
  return {
    type: "linux",
    ...release,
    ...(arch === undefined ? {} : { arch }),
    ...(hostname === undefined ? {} : { hostname }),
    mounts: mountsOf(reader.lines("/etc/fstab"), finder, root),
  };
}

/** The /usr of Linux by itself: it may hold what its root filesystem lacks. */
function linuxUsr(reader: GuestReader): OperatingSystem {
  const arch = reader.architecture(inFolder("/bin"));
  return {
    type: "linux",
    ...parseOsRelease(reader.lines("/lib/os-release")),
    ...(arch === undefined ? {} : { arch }),
    mounts: [],
  };
}

function rcHostname(reader: GuestReader): string | undefined {
  for (const path of ["/etc/rc.conf", "/etc/rc.conf.local"]) {
    const name = fqdn(parseShellVariables(reader.lines(path)).get("hostname"));
    if (name !== undefined) return name;
  }
  return undefined;
}

function bsd(
  reader: GuestReader,
  finder: DeviceFinder,
  root: string,
  type: string,
  hostname: string | undefined,
): OperatingSystem {
  const arch = reader.architecture(inFolder("/bin"));
  return {
    type,
    distro: type,
    ...(arch === undefined ? {} : { arch }),
    ...(hostname === undefined ? {} : { hostname }),
    mounts: mountsOf(reader.lines("/etc/fstab"), finder, root),
  };
}

function freebsd(reader: GuestReader, finder: DeviceFinder, root: string): OperatingSystem {
  const system = bsd(reader, finder, root, "freebsd", rcHostname(reader));
  const release = parseOsRelease(reader.lines("/etc/os-release"));
  if (release?.distro === "freebsd") return { ...system, ...release };
  // USERLAND_VERSION stands in the script freebsd-version(1).
  const version = parseShellVariables(reader.lines("/bin/freebsd-version")).get("USERLAND_VERSION");
  return {
    ...system,
    ...parseVersion(version),
    ...(version === undefined ? {} : { productName: `FreeBSD ${version}` }),
  };
}

function named(system: OperatingSystem, line: string | undefined): OperatingSystem {
  return { ...system, ...parseVersion(line), ...(line === undefined ? {} : { productName: line }) };
}

/** What a filesystem is to a system of the Unix family. */
export function unixRole(reader: GuestReader, finder: DeviceFinder, root: string): Role | undefined {
  const found = (system: OperatingSystem): Role => ({ kind: "root", system });
  const etc = reader.isDirectory("/etc");
  const hasFstab = etc && reader.isFile("/etc/fstab");
  if (
    hasFstab &&
    reader.isDirectory("/bin") &&
    (reader.isFile("/etc/freebsd-update.conf") || reader.isFile("/bin/freebsd-version"))
  )
    return found(freebsd(reader, finder, root));
  if (hasFstab && reader.isFile("/netbsd") && reader.isFile("/etc/release"))
    return found(named(bsd(reader, finder, root, "netbsd", rcHostname(reader)), reader.firstLine("/etc/release")));
  if (hasFstab && reader.isFile("/bsd") && reader.isFile("/etc/motd"))
    return found(
      named(bsd(reader, finder, root, "openbsd", fqdn(reader.firstLine("/etc/myname"))), reader.firstLine("/etc/motd")),
    );
  if (reader.isFile("/hurd/console") && reader.isFile("/hurd/hello") && reader.isFile("/hurd/null"))
    return found({ ...linux(reader, finder, root), type: "hurd" });
  if (hasFstab && reader.isFile("/service/vm") && reader.isFile("/etc/version"))
    return found(
      named(
        bsd(reader, finder, root, "minix", fqdn(reader.firstLine("/etc/hostname.file"))),
        reader.firstLine("/etc/version"),
      ),
    );
  if (isLinuxRoot(reader)) return found(linux(reader, finder, root));
  if (
    reader.isDirectory("/root") &&
    reader.isDirectory("/home") &&
    reader.isDirectory("/usr") &&
    reader.isDirectory("/etc/coreos")
  )
    return found({ ...linux(reader, finder, root), distro: "coreos" });
  if (
    reader.isDirectory("/bin") &&
    reader.isDirectory("/share") &&
    (reader.isDirectory("/local") || reader.isDirectory("/lib"))
  )
    return { kind: "usr", system: linuxUsr(reader) };
  return undefined;
}
