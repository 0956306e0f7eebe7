/** What inspection says about a system. */
export interface InspectedSystem {
  readonly type: string;
  readonly distro: string;
  readonly major: number;
  readonly minor: number;
  readonly product: string;
  readonly variant: string;
  readonly build: number;
}

/** First build of Windows 11; 10 and 11 have the same version number. */
const windows11Build = 22000;

function windowsId({ major, minor, product, variant, build }: InspectedSystem): string {
  const isServer = variant.includes("Server");
  switch (`${major}.${minor}`) {
    case "5.1":
      return "winxp";
    case "5.2":
      return product.includes("XP") ? "winxp" : product.includes("R2") ? "win2k3r2" : "win2k3";
    case "6.0":
      return isServer ? "win2k8" : "winvista";
    case "6.1":
      return isServer ? "win2k8r2" : "win7";
    case "6.2":
      return isServer ? "win2k12" : "win8";
    case "6.3":
      return isServer ? "win2k12r2" : "win8.1";
    case "10.0":
      if (isServer) return `win2k${/20(16|19|22|25)/.exec(product)?.[1] ?? "16"}`;
      return build >= windows11Build ? "win11" : "win10";
    default:
      return "unknown";
  }
}

function linuxId({ distro, major, minor }: InspectedSystem): string {
  switch (distro) {
    case "unknown":
      return "linux";
    case "archlinux":
    case "gentoo":
    case "voidlinux":
      return distro;
    case "centos":
      return major >= 8 ? `centos${major}` : `centos${major}.${minor}`;
    case "almalinux":
    case "debian":
    case "fedora":
    case "mageia":
    case "rocky":
      return `${distro}${major}`;
    case "altlinux":
      return `altlinux${major}.${minor}`;
    case "sles":
      return minor === 0 ? `sles${major}` : `sles${major}sp${minor}`;
    case "ubuntu":
      return `ubuntu${major}.${String(minor).padStart(2, "0")}`;
    default:
      return major > 0 || minor > 0 ? `${distro}${major}.${minor}` : distro;
  }
}

/** libosinfo's short name of a system, such as `debian12`, `ubuntu22.04` or `win10`; `unknown` when there is none. */
export function osinfoId(system: InspectedSystem): string {
  switch (system.type) {
    case "linux":
      return linuxId(system);
    case "windows":
      return windowsId(system);
    case "freebsd":
    case "netbsd":
    case "openbsd":
      return `${system.type}${system.major}.${system.minor}`;
    case "dos":
      return system.distro === "msdos" ? "msdos6.22" : "unknown";
    default:
      return "unknown";
  }
}
