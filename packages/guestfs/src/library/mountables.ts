import { GuestfsError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";

/** `im_type` of a btrfs subvolume. */
const btrfsSubvolume = 1;

/** Names of what can be mounted. */
export const mountableFunctions: LibraryFunctions<"mountableDevice" | "mountableSubvolume"> = {
  mountableDevice: async (context, mountable) =>
    (await context.call("internal_parse_mountable", { mountable })).im_device,
  async mountableSubvolume(context, mountable) {
    const parsed = await context.call("internal_parse_mountable", { mountable });
    if (parsed.im_type === btrfsSubvolume) return parsed.im_volume;
    throw new GuestfsError("LOCAL", `${mountable}: is no btrfs subvolume`, { procedure: context.procedure });
  },
};
