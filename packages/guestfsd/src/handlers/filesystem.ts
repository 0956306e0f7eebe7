import { constants } from "node:fs";
import { withDeviceContent } from "../content.ts";
import type { HandlersOf } from "../context.ts";
import { readIsoVolume } from "../iso-volume.ts";
import { filesystemAttribute } from "./filesystem-attribute.ts";
import { filesystemCheck } from "./filesystem-check.ts";
import { filesystemIdentity } from "./filesystem-identity.ts";
import { filesystemMake } from "./filesystem-make.ts";

/** Filesystems as a whole. */
export const filesystem: HandlersOf<"filesystem"> = {
  ...filesystemAttribute,
  ...filesystemCheck,
  ...filesystemIdentity,
  ...filesystemMake,

  isoinfo: ({ isofile }, context) =>
    context.sysroot.withOpen(isofile, constants.O_RDONLY | constants.O_NONBLOCK, (fd) => readIsoVolume(fd, isofile)),
  isoinfo_device: ({ device }) => withDeviceContent(device, (fd) => readIsoVolume(fd, device)),
};
