import { allBlockDevices } from "./block-device.ts";
import type { Context } from "./context.ts";
import { DaemonError } from "./daemon-error.ts";
import { probeDevice } from "./native/blkid.ts";

/**
 * The first device of which libblkid says so; for UUIDs the case does not count.
 * @throws DaemonError (ENOENT) when there is none
 */
export function findDevice(
  context: Context,
  name: "LABEL" | "UUID" | "PART_ENTRY_NAME" | "PART_ENTRY_UUID",
  value: string,
): string {
  const normal = (text: string): string => (name.endsWith("UUID") ? text.toLowerCase() : text);
  const wanted = normal(value);
  for (const device of allBlockDevices(context)) {
    try {
      const found = probeDevice(device, { partitions: name.startsWith("PART_") })[name];
      if (found !== undefined && normal(found) === wanted) return device;
    } catch {
      // A device that can't be read is not the one.
    }
  }
  throw new DaemonError(`no device has the ${name} '${value}'`, "ENOENT");
}
