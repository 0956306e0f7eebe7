// @ts-check
/**
 * The Debian packages the project needs, each with its reason. What the appliance puts inside its own
 * root (filesystem and volume tools) is the appliance's list, not this one.
 * @typedef {{ name: string, why: string }} DebianPackage
 */

/** @type {readonly DebianPackage[]} What `npm start` needs. */
export const forStart = [
  { name: "qemu-system-x86", why: "runs the appliance" },
  { name: "qemu-utils", why: "makes and checks disk images" },
  { name: "linux-image-amd64", why: "the appliance's kernel and its modules" },
  { name: "mmdebstrap", why: "unpacks the appliance's packages" },
  { name: "squashfs-tools", why: "writes the appliance's root image" },
  { name: "busybox-static", why: "the appliance's first program" },
  { name: "e2fsprogs", why: "checks filesystems" },
];

/** @type {readonly DebianPackage[]} What `npm test` needs on top of that. */
export const onlyForTests = [
  { name: "guestfsd", why: "the stock daemon, which our library is held against" },
  { name: "guestfish", why: "the stock shell, which our daemon is held against" },
];
