import { LaunchError } from "../errors.ts";
import type { Attachment, AttachRequest } from "./attachment.ts";
import { attachUnix } from "./unix.ts";

/**
 * Reaches a daemon the way the handle is set to.
 * @throws LaunchError or CancelledError
 */
export async function attach(request: AttachRequest): Promise<Attachment> {
  const { settings, drives, timeoutMs, signal } = request;
  const method = settings.attachMethod;
  switch (method.type) {
    case "appliance":
      // Here, so that a program that only talks to daemons elsewhere loads nothing that builds appliances.
      return (await import("./appliance.ts")).attachAppliance(request);
    case "unix":
      if (drives.length > 0)
        request.warn(
          `the ${drives.length} drives that were added have no effect: the daemon on ${method.path} has disks of its own`,
        );
      if (settings.hvArguments.length > 0)
        throw new LaunchError("config was called, and with a daemon on a socket there is no hypervisor to configure");
      if (method.live) {
        const { attachLive } = await import("./live.ts");
        return attachLive({ domain: method.live, timeoutMs, signal, debug: (message) => request.debug(message) });
      }
      request.debug(`connecting to ${method.path}`);
      return attachUnix({ path: method.path, timeoutMs, signal });
    case "libvirt":
      throw new LaunchError("the libvirt backend is not part of this library", {
        fix: 'use the backend "direct", which starts the appliance itself: unset LIBGUESTFS_BACKEND or set it to direct',
      });
  }
}
