// @ts-check
/**
 * The Debian packages the project needs, each with its reason. What stands inside the appliance
 * (filesystem and volume tools) is the appliance's own list, packages/appliance/src/packages.ts.
 * @typedef {{ name: string, why: string }} DebianPackage
 */

/** @type {readonly DebianPackage[]} What `npm start` needs. */
export const forStart = [
  { name: "qemu-system-x86", why: "runs the appliance" },
  { name: "qemu-utils", why: "makes qcow2 images (qemu-img)" },
  { name: "linux-image-amd64", why: "the appliance's kernel and its modules" },
  { name: "busybox-static", why: "the appliance's first program" },
  { name: "erofs-utils", why: "writes the appliance's root images (mkfs.erofs)" },
  { name: "kmod", why: "orders the kernel's modules (depmod)" },
  { name: "xz-utils", why: "unpacks kernel modules and packages" },
  { name: "e2fsprogs", why: "checks filesystems (e2fsck)" },
];

/** @type {readonly DebianPackage[]} What `npm run conformance` needs on top of that. */
export const forConformance = [{ name: "genisoimage", why: "makes the ISO image that recorded tests read" }];

/** @type {readonly DebianPackage[]} What `npm test` needs on top of those two. */
export const onlyForTests = [
  { name: "guestfsd", why: "the stock daemon, which our library is held against" },
  { name: "guestfish", why: "the stock shell, which our daemon is held against" },
  { name: "mmdebstrap", why: "makes the Debian that runs while we look into it" },
  { name: "libvirt-daemon", why: "runs that machine (libvirtd, virtlogd); no service is started" },
  { name: "libvirt-clients", why: "talks to libvirt (virsh)" },
  { name: "nbdkit", why: "reads drives over http, https, ftp and ftps" },
  { name: "qemu-block-extra", why: "QEMU's drivers for drives over ssh, and over http where there is no nbdkit" },
  { name: "openssl", why: "makes the certificate of a server with a drive over https" },
  { name: "dropbear-bin", why: "serves a drive over ssh; unlike openssh-server it brings no service" },
  { name: "openssh-sftp-server", why: "the part of it that reads the files" },
  { name: "fuse3", why: "lets an ordinary user mount a machine's files (fusermount3)" },
  { name: "attr", why: "extended attributes of files in a mounted folder (setfattr, getfattr)" },
];
