import { encodeText } from "@guestfs/protocol";
import { constants, readFileSync, writeFileSync } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { textUntilNul } from "../guest-text.ts";
import { deleteDefaultAcl, getAcl, setAcl } from "../native/acl.ts";
import type { AclType } from "../native/acl.ts";
import { getCapabilities, setCapabilities } from "../native/capability.ts";
import { O_PATH } from "../native/file.ts";
import { getXattr, removeXattr, setXattr } from "../native/xattr.ts";
import type { Follow } from "../native/xattr.ts";
import { descriptorPath } from "../sysroot.ts";
import { readXattrs } from "../xattr-list.ts";

const securityLabel = "/proc/self/attr/current";

const labelKey = Symbol("security label");

/** The next client is not served under the label of the last: where a policy lets nobody return, another process has to. */
function takeLabelBack(label: Uint8Array): void {
  try {
    writeFileSync(securityLabel, label);
  } catch (error) {
    process.stderr.write(`guestfsd: the security label can't be taken back: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

/** Hands on a path for one call on the extended attributes of a file of the guest. */
function withAttributes<T>(context: Context, path: string, follow: Follow, use: (path: string) => T): T {
  return follow === "follow"
    ? context.sysroot.withOpen(path, O_PATH, (fd) => use(descriptorPath(fd)))
    : context.sysroot.withPlace(path, (place) => use(place.path));
}

interface Setting {
  readonly xattr: string;
  readonly val: string;
  readonly vallen: number;
  readonly path: string;
}

function setAttribute({ xattr, val, vallen, path }: Setting, context: Context, follow: Follow): void {
  const value = encodeText(val);
  if (vallen < 0 || vallen > value.length)
    throw new DaemonError(`vallen is ${vallen}, and the value has ${value.length} bytes`);
  withAttributes(context, path, follow, (target) => setXattr(target, xattr, value.subarray(0, vallen), follow));
}

function aclType(text: string): AclType {
  if (text === "access" || text === "default") return text;
  throw new DaemonError(`${text}: an ACL is of type access or default`);
}

/** setfiles(8) on files of the guest; nothing below /dev, /proc and the like is touched. */
function relabel(context: Context, specfile: string, paths: readonly string[], force: boolean): void {
  const { sysroot } = context;
  const root = sysroot.outside("/");
  const below = (path: string): string => (root === "/" ? path : `${root}${path}`);
  const left = ["/dev", "/proc", "/selinux", "/sys"].flatMap((path) => ["-e", below(path)]);
  run(
    [
      "setfiles",
      ...(force ? ["-F"] : []),
      ...left,
      ...(root === "/" ? [] : ["-r", root]),
      "-q",
      "--",
      sysroot.outside(specfile),
      ...paths.map((path) => sysroot.outside(path)),
    ],
    { pulse: context.pulse },
  );
}

/** Extended attributes and what Linux keeps in them. */
export const attributes: HandlersOf<"attributes"> = {
  acl_delete_def_file: ({ dir }, context) => withAttributes(context, dir, "follow", deleteDefaultAcl),
  acl_get_file: ({ path, acltype }, context) => {
    const type = aclType(acltype);
    return withAttributes(context, path, "follow", (target) => getAcl(target, type));
  },
  acl_set_file({ path, acltype, acl }, context) {
    const type = aclType(acltype);
    withAttributes(context, path, "follow", (target) => setAcl(target, type, acl));
  },
  cap_get_file: ({ path }, context) =>
    context.sysroot.withOpen(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, getCapabilities),
  cap_set_file({ path, cap }, context) {
    context.sysroot.withOpen(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, (fd) =>
      setCapabilities(fd, cap),
    );
  },
  getcon: () => textUntilNul(readFileSync(securityLabel)),
  setcon({ context: label }, { state }) {
    const before = readFileSync(securityLabel);
    writeFileSync(securityLabel, label);
    if (!state.get(labelKey)) state.keep(labelKey, before, () => takeLabelBack(before));
  },
  getxattr: ({ path, name }, context) =>
    withAttributes(context, path, "follow", (target) => getXattr(target, name, "follow")),
  lgetxattr: ({ path, name }, context) =>
    withAttributes(context, path, "nofollow", (target) => getXattr(target, name, "nofollow")),
  getxattrs: ({ path }, context) => withAttributes(context, path, "follow", (target) => readXattrs(target, "follow")),
  lgetxattrs: ({ path }, context) =>
    withAttributes(context, path, "nofollow", (target) => readXattrs(target, "nofollow")),
  setxattr: (args, context) => setAttribute(args, context, "follow"),
  lsetxattr: (args, context) => setAttribute(args, context, "nofollow"),
  removexattr({ xattr, path }, context) {
    withAttributes(context, path, "follow", (target) => removeXattr(target, xattr, "follow"));
  },
  lremovexattr({ xattr, path }, context) {
    withAttributes(context, path, "nofollow", (target) => removeXattr(target, xattr, "nofollow"));
  },
  selinux_relabel: ({ specfile, path, force }, context) => relabel(context, specfile, [path], force ?? false),
  setfiles: ({ specfile, paths, force }, context) => relabel(context, specfile, paths, force ?? false),
};
