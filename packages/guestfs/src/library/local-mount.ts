import type { CallContext } from "../call-context.ts";
import { GuestfsError } from "../errors.ts";
import type { MountLocalOptions } from "../gen/api.ts";
import { cancelled } from "../in-turn.ts";
import type { LocalMount } from "../mount-local/local-mount.ts";
import type { LibraryFunctions } from "./library.ts";

/** How long what is known of a file may be believed, in seconds: off, nobody else changes it. */
const [validForOff, validForLive] = [60, 1];
/** How often unmounting a folder that is in use is tried again. */
const retries = 5;

function local({ procedure }: CallContext, message: string, cause?: unknown): GuestfsError {
  return new GuestfsError("LOCAL", message, { procedure, cause });
}

/** Gives an error of a module below the name of the call. */
function named(context: CallContext, error: unknown): unknown {
  if (error instanceof GuestfsError && error.procedure === "" && error.code === "LOCAL")
    return local(context, error.message, error.cause);
  return error;
}

function mountOf(context: CallContext): LocalMount {
  const { localMount } = context.handle;
  if (localMount) return localMount;
  throw local(context, "this handle has mounted nothing on this host: call mount_local first");
}

async function start(
  context: CallContext,
  folder: string,
  options: MountLocalOptions,
  restore: () => Promise<void>,
): Promise<LocalMount> {
  const { handle, procedure } = context;
  const [{ LocalMount: Mount }, { parseFuseOptions }] = await Promise.all([
    // Most programs never mount anything.
    import("../mount-local/local-mount.ts"),
    import("../mount-local/fuse-options.ts"),
  ]);
  let parsed;
  try {
    parsed = parseFuseOptions(options.options ?? "");
  } catch (error) {
    throw new RangeError(`${procedure}: options: ${(error as Error).message}`, { cause: error });
  }
  const usual = handle.settings.attachMethod.type === "unix" ? validForLive : validForOff;
  return Mount.start(handle.api, folder, {
    ...parsed,
    readOnly: parsed.readOnly || options.readonly === true,
    validFor: options.cachetimeout ?? parsed.validFor ?? usual,
    restore,
    tell: options.debugcalls === true ? (line) => handle.say(`${procedure}: ${line}`) : undefined,
  });
}

/** Mounting the machine on a folder of this host (guestfs(3), MOUNT LOCAL). */
export const localMountFunctions: LibraryFunctions<"mountLocal" | "mountLocalRun" | "umountLocal"> = {
  async mountLocal(context, localmountpoint, options = {}) {
    const { handle, procedure } = context;
    handle.readyConnection(procedure);
    if (handle.localMount?.ended === false)
      throw local(context, `this handle is mounted on ${handle.localMount.folder} already: call umount_local first`);
    const { cachetimeout } = options;
    if (cachetimeout !== undefined && cachetimeout < 0)
      throw new RangeError(`${procedure}: cachetimeout: ${cachetimeout} is not 0 seconds or more`);
    // The kernel takes the mask of whoever makes a file into account already.
    const mask = await context.call("umask", { mask: 0 });
    const failed = (error: unknown): void => handle.debug(String(error));
    const restore = async (): Promise<void> => {
      if (handle.state === "READY") await handle.api.umask(mask).catch(failed);
    };
    try {
      handle.localMount = await start(context, localmountpoint, options, restore);
    } catch (error) {
      await context.call("umask", { mask }).catch(failed);
      throw named(context, error);
    }
  },
  async mountLocalRun(context) {
    const { handle, procedure, signal } = context;
    const mount = mountOf(context);
    const onAbort = (): void => {
      if (signal) void mount.stop(cancelled(procedure, signal));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await mount.served;
      if (mount.error) throw mount.error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (handle.localMount === mount) handle.localMount = undefined;
    }
  },
  async umountLocal(context, options = {}) {
    const { handle } = context;
    const mount = mountOf(context);
    if (mount.ended) throw local(context, `${mount.folder} is unmounted already`);
    try {
      await mount.unmount(options.retry === true ? retries : 0, (obstacle) => handle.debug(obstacle));
    } catch (error) {
      throw named(context, error);
    }
  },
};
