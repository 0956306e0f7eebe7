import type { CallContext } from "../call-context.ts";
import { LaunchError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { attachAppliance } from "./appliance.ts";
import type { Attachment } from "./attach-method.ts";
import { attachUnix } from "./unix.ts";

/**
 * Reaches a daemon the way the handle is set to.
 * @throws LaunchError or CancelledError
 */
export function attach(handle: Handle, context: CallContext, signal: AbortSignal): Promise<Attachment> {
  const { settings } = handle;
  const method = settings.attachMethod;
  switch (method.type) {
    case "appliance":
      return attachAppliance(handle, context, signal);
    case "unix":
      if (handle.drives.count > 0)
        handle.warn(
          `the ${handle.drives.count} drives that were added have no effect: the daemon on ${method.path} has disks of its own`,
        );
      if (settings.hvArguments.length > 0)
        return Promise.reject(
          new LaunchError("config was called, and with a daemon on a socket there is no hypervisor to configure"),
        );
      handle.debug(`connecting to ${method.path}`);
      return attachUnix({ path: method.path, timeoutMs: handle.limits.launchTimeout, signal });
    case "libvirt":
      return Promise.reject(
        new LaunchError("the libvirt backend is not part of this library", {
          fix: 'use the backend "direct", which starts the appliance itself: unset LIBGUESTFS_BACKEND or set it to direct',
        }),
      );
  }
}
