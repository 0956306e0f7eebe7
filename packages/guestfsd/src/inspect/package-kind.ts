import type { OperatingSystem } from "./operating-system.ts";

const redHat = new Set([
  "rhel",
  "redhat-based",
  "centos",
  "scientificlinux",
  "oraclelinux",
  "rocky",
  "almalinux",
  "circle",
  "eurolinux",
]);
const debian = new Set([
  "debian",
  "ubuntu",
  "linuxmint",
  "kalilinux",
  "kylin",
  "neokylin-deb",
  "pop",
  "raspbian",
  "devuan",
]);
const suse = new Set(["opensuse", "sles", "suse-based"]);

/** `rpm`, `deb` ... for the distributions with one. */
export function packageFormat({ distro = "", type }: OperatingSystem): string {
  if (redHat.has(distro) || suse.has(distro)) return "rpm";
  if (debian.has(distro)) return "deb";
  switch (distro) {
    case "fedora":
    case "meego":
    case "mageia":
    case "mandriva":
    case "altlinux":
    case "openmandriva":
    case "openeuler":
    case "neokylin":
    case "pldlinux":
    case "amzn":
      return "rpm";
    case "archlinux":
      return "pacman";
    case "gentoo":
      return "ebuild";
    case "pardus":
      return "pisi";
    case "alpine":
      return "apk";
    case "voidlinux":
      return "xbps";
    default:
      break;
  }
  if (type === "netbsd") return "pkgsrc";
  return "unknown";
}

/** `dnf`, `apt` ... */
export function packageManagement({ distro = "", type, major = 0 }: OperatingSystem): string {
  if (redHat.has(distro)) {
    if (major >= 8) return "dnf";
    return major >= 5 ? "yum" : "up2date";
  }
  if (suse.has(distro)) return "zypper";
  if (debian.has(distro)) return "apt";
  switch (distro) {
    case "fedora":
      return major >= 22 ? "dnf" : "yum";
    case "openeuler":
      return "dnf";
    case "amzn":
      return major >= 2022 ? "dnf" : "yum";
    case "meego":
    case "neokylin":
    case "pldlinux":
      return "yum";
    case "mageia":
    case "mandriva":
    case "openmandriva":
      return "urpmi";
    case "altlinux":
      return "apt";
    case "archlinux":
      return "pacman";
    case "gentoo":
      return "portage";
    case "pardus":
      return "pisi";
    case "alpine":
      return "apk";
    case "voidlinux":
      return "xbps";
    default:
      break;
  }
  if (type === "netbsd") return "pkgsrc";
  return "unknown";
}
