/** What dpkg has to know of the package. */
export interface ControlFacts {
  version: string;
  /** Debian's name of the processor: `amd64`. */
  architecture: string;
  /** In KiB. */
  installedSize: number;
  /** Oldest glibc that everything in the package runs with: `2.28`. */
  glibc: string;
}

/** Debian's own `guestfsd` has a higher version, which apt would put in the place of ours: hence another name. */
export const debianPackageName = "guestfsd-live";

/** The package's `control` file (deb-control(5)). */
export function controlFile({ version, architecture, installedSize, glibc }: ControlFacts): string {
  return `Package: ${debianPackageName}
Version: ${version}
Architecture: ${architecture}
Maintainer: The guestfs authors <guestfs@localhost>
Installed-Size: ${installedSize}
Depends: libc6 (>= ${glibc}), libstdc++6 (>= 8)
Provides: guestfsd
Conflicts: guestfsd
Replaces: guestfsd
Section: admin
Priority: optional
Description: files of this virtual machine for its host, while it runs
 Serves libguestfs clients of the host over a virtio-serial port: they list,
 read and write files here, again and again, within the policy in
 /etc/guestfsd/policy.json. Brings its own Node.js.
`;
}

/** Newest symbol version of glibc that a program or library asks for; `2.17` when it names none. */
export function neededGlibc(binaries: readonly Uint8Array[]): string {
  let newest = 17;
  for (const binary of binaries) {
    const text = Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength).toString("latin1");
    for (const [, minor] of text.matchAll(/GLIBC_2\.(\d{1,3})\0/g)) newest = Math.max(newest, Number(minor));
  }
  return `2.${newest}`;
}
