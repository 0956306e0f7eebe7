import type { CallContext } from "../call-context.ts";
import { GuestfsError, UnsupportedError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";

/** `im_type` of a btrfs subvolume. */
const btrfsSubvolume = 1;

function noLocalMount({ procedure }: CallContext): Promise<never> {
  return Promise.reject(
    new UnsupportedError("this version does not mount the guest on this machine", "", { procedure }),
  );
}

/** Names of what can be mounted, and mounting here. */
export const mountableFunctions: LibraryFunctions<
  "mountLocal" | "mountLocalRun" | "mountableDevice" | "mountableSubvolume" | "umountLocal"
> = {
  mountLocal: noLocalMount,
  mountLocalRun: noLocalMount,
  mountableDevice: async (context, mountable) =>
    (await context.call("internal_parse_mountable", { mountable })).im_device,
  async mountableSubvolume(context, mountable) {
    const parsed = await context.call("internal_parse_mountable", { mountable });
    if (parsed.im_type === btrfsSubvolume) return parsed.im_volume;
    throw new GuestfsError("LOCAL", `${mountable}: is no btrfs subvolume`, { procedure: context.procedure });
  },
  umountLocal: noLocalMount,
};
