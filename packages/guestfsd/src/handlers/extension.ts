import { chunkMax, extendedChunkMax } from "@guestfs/protocol";
import { constants } from "node:fs";
import { memoryUsage } from "node:process";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { DriveScanner } from "../drive-scan.ts";
import { findFormats, sendFound } from "../find-program.ts";
import { freezeFilesystems, thawFilesystems } from "../live/freeze.ts";
import { frozenState } from "../live/frozen-state.ts";
import { describePolicy } from "../live/policy.ts";
import type { Service } from "../live/service.ts";
import { O_DIRECTORY } from "../native/file.ts";
import { TransferWindow } from "../transfer-window.ts";
import { daemonVersion } from "../version.ts";

function requireAppliance({ state }: Context): void {
  if (!state.options.appliance) throw new DaemonError("drives come and go in the appliance only", "ENOTSUP");
}

function serviceOf(context: Context): Service {
  const { service } = context.state.options;
  if (!service) throw new DaemonError("this daemon does not serve a running machine", "ENOTSUP");
  return service;
}

function statusOf({ state }: Context): Record<string, unknown> {
  const { live, service } = state.options;
  const { guard } = state;
  return {
    version: daemonVersion,
    live,
    mode: guard?.readOnly ? "read-only" : "read-write",
    ...(guard && { policy: describePolicy(guard.policy) }),
    ...(service && {
      started: service.started,
      clients: service.clients,
      client: service.currentClient,
      lastClient: service.lastClient ?? null,
      frozen: frozenState(service.runFolder) ?? null,
    }),
    residentBytes: memoryUsage.rss(),
  };
}

/** Our own calls. */
export const extension: HandlersOf<"extension"> = {
  extension_set_chunk_size({ size }, context) {
    const agreed = Math.min(Math.max(size - (size % 4), chunkMax), extendedChunkMax);
    context.state.chunkSize = agreed;
    return agreed;
  },
  extension_open_window({ token, offset = 0 }, { state }) {
    const window = TransferWindow.open(token, offset);
    state.keep(TransferWindow.key, window, () => window.close());
    return window.size;
  },
  extension_drive_added({ target }, context) {
    requireAppliance(context);
    const scanner = new DriveScanner();
    try {
      if (scanner.add([target]).length > 0)
        throw new DaemonError(`no disk came of the drive at SCSI target ${target}`, "ENXIO");
    } finally {
      scanner.close();
    }
  },
  extension_drive_leaves({ target }, context) {
    requireAppliance(context);
    const scanner = new DriveScanner();
    try {
      scanner.requireUnused(target);
      scanner.remove(target);
    } finally {
      scanner.close();
    }
  },
  extension_daemon_status: (_, context) => JSON.stringify(statusOf(context)),
  extension_restrict({ readonly }, context) {
    if (readonly) {
      serviceOf(context);
      context.state.restrictToReading();
    }
  },
  extension_freeze: ({ seconds, mountpoints }, context) =>
    freezeFilesystems(context, { seconds, mountpoints }, serviceOf(context)),
  extension_thaw: (_, context) => thawFilesystems(context, serviceOf(context)),
  extension_walk({ directory, maxdepth }, context) {
    if (maxdepth < 0) throw new DaemonError(`${maxdepth}: a depth is 0 or more`, "EINVAL");
    context.sysroot.withOpen(directory, constants.O_RDONLY | O_DIRECTORY, (folder) =>
      sendFound(context, folder, findFormats.record, maxdepth),
    );
  },
};
