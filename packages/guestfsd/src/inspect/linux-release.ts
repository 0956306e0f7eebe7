import type { GuestReader } from "./guest-reader.ts";
import type { OperatingSystem } from "./operating-system.ts";
import { parseShellVariables } from "./shell-variables.ts";

type Release = Pick<OperatingSystem, "distro" | "productName" | "major" | "minor" | "buildId">;

/** ID of os-release(5) to the API's name of the distribution, where they differ. */
const distroOfId: Readonly<Record<string, string>> = {
  arch: "archlinux",
  archlinux: "archlinux",
  clear_linux: "clear-linux-os",
  kali: "kalilinux",
  ol: "oraclelinux",
  openEuler: "openeuler",
  pld: "pldlinux",
  "red hat enterprise linux": "rhel",
  redhat: "rhel",
  scientific: "scientificlinux",
  sled: "sles",
  sles_sap: "sles",
  void: "voidlinux",
};

function distroOf(id: string): string {
  if (id.startsWith("opensuse")) return "opensuse";
  return distroOfId[id] ?? id;
}

/** Takes `12.5`, `20.04.1` or `9` apart. */
export function parseVersion(text: string | undefined): Pick<OperatingSystem, "major" | "minor"> {
  const match = /(\d{1,9})(?:\.(\d{1,9}))?/.exec(text ?? "");
  if (!match) return {};
  return { major: Number(match[1]), minor: Number(match[2] ?? 0) };
}

/** os-release(5). */
export function parseOsRelease(lines: readonly string[]): Release | undefined {
  const variables = parseShellVariables(lines);
  const id = variables.get("ID");
  if (!id) return undefined;
  const productName = variables.get("PRETTY_NAME");
  const buildId = variables.get("BUILD_ID");
  return {
    distro: distroOf(id),
    ...(productName ? { productName } : {}),
    ...(buildId ? { buildId } : {}),
    ...parseVersion(variables.get("VERSION_ID")),
  };
}

/** /etc/lsb-release, for distributions of before os-release. */
export function parseLsbRelease(lines: readonly string[]): Release | undefined {
  const variables = parseShellVariables(lines);
  const names: Readonly<Record<string, string>> = {
    Ubuntu: "ubuntu",
    LinuxMint: "linuxmint",
    Mageia: "mageia",
    CoreOS: "coreos",
    "Container Linux by CoreOS": "coreos",
    KylinOS: "kylin",
  };
  const distro = names[variables.get("DISTRIB_ID") ?? ""];
  if (distro === undefined) return undefined;
  const productName = variables.get("DISTRIB_DESCRIPTION");
  return { distro, ...(productName ? { productName } : {}), ...parseVersion(variables.get("DISTRIB_RELEASE")) };
}

interface ReleaseFile {
  readonly path: string;
  readonly distro: string;
  /** what the first line has to show; default: anything */
  readonly line?: RegExp;
  /** the version stands elsewhere */
  readonly version?: RegExp;
}

/** Files that name the distribution in their first line; the first that fits counts. */
const releaseFiles: readonly ReleaseFile[] = [
  { path: "/etc/oracle-release", distro: "oraclelinux" },
  { path: "/etc/rocky-release", distro: "rocky" },
  { path: "/etc/almalinux-release", distro: "almalinux" },
  { path: "/etc/centos-release", distro: "centos" },
  { path: "/etc/fedora-release", distro: "fedora" },
  { path: "/etc/altlinux-release", distro: "altlinux" },
  { path: "/etc/meego-release", distro: "meego" },
  { path: "/etc/mageia-release", distro: "mageia" },
  { path: "/etc/mandriva-release", distro: "mandriva" },
  { path: "/etc/pld-release", distro: "pldlinux" },
  { path: "/etc/redhat-release", distro: "fedora", line: /^Fedora/ },
  { path: "/etc/redhat-release", distro: "rhel", line: /^Red Hat/ },
  { path: "/etc/redhat-release", distro: "centos", line: /^CentOS/ },
  { path: "/etc/redhat-release", distro: "scientificlinux", line: /^Scientific Linux/ },
  { path: "/etc/redhat-release", distro: "redhat-based" },
  { path: "/etc/debian_version", distro: "debian" },
  { path: "/etc/SuSE-release", distro: "opensuse", line: /^openSUSE/i },
  { path: "/etc/SuSE-release", distro: "sles", line: /^SUSE Linux Enterprise/ },
  { path: "/etc/SuSE-release", distro: "suse-based" },
  { path: "/etc/pardus-release", distro: "pardus" },
  { path: "/etc/arch-release", distro: "archlinux" },
  { path: "/etc/gentoo-release", distro: "gentoo" },
  { path: "/etc/alpine-release", distro: "alpine" },
  { path: "/etc/frugalware-release", distro: "frugalware" },
  { path: "/etc/slackware-version", distro: "slackware" },
  { path: "/etc/ttylinux-target", distro: "ttylinux" },
  { path: "/etc/cirros/version", distro: "cirros" },
  { path: "/etc/br-version", distro: "buildroot" },
];

/** Files whose version is finer than os-release's: the distributions that give only its first part there. */
const finerVersion: Readonly<Record<string, string>> = {
  debian: "/etc/debian_version",
  centos: "/etc/centos-release",
};

function fromReleaseFile(reader: GuestReader): Release | undefined {
  for (const { path, distro, line } of releaseFiles) {
    if (!reader.isFile(path)) continue;
    const first = reader.firstLine(path);
    if (line && !line.test(first ?? "")) continue;
    return { distro, ...(first === undefined ? {} : { productName: first }), ...parseVersion(first) };
  }
  return undefined;
}

/** Which distribution of Linux a root filesystem holds. */
export function linuxRelease(reader: GuestReader): Release {
  const release =
    parseOsRelease(reader.lines("/etc/os-release")) ??
    parseOsRelease(reader.lines("/usr/lib/os-release")) ??
    parseLsbRelease(reader.lines("/etc/lsb-release")) ??
    fromReleaseFile(reader);
  if (!release) return {};
  const finer = finerVersion[release.distro ?? ""];
  return finer === undefined ? release : { ...release, ...parseVersion(reader.firstLine(finer)) };
}
