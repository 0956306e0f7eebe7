import { isBlockDevice } from "../device.ts";
import { allBlockDevices, publicName, wholeDrives } from "../block-device.ts";
import type { Context } from "../context.ts";
import { mapperDevice } from "../device-mapper.ts";
import { probeDevice } from "../native/blkid.ts";

/** Finds the devices that a guest means by its own names for them. Remembers what it looked up. */
export class DeviceFinder {
  readonly #context: Context;
  readonly #drives: readonly string[];
  #facts: { device: string; values: Record<string, string> }[] | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#drives = wholeDrives(context);
  }

  #probe(device: string): Record<string, string> {
    try {
      return probeDevice(device, { partitions: true });
    } catch {
      return {};
    }
  }

  /** The device with this value of libblkid's: `UUID`, `LABEL`, `PART_ENTRY_UUID`, `PART_ENTRY_NAME`. */
  by(tag: string, value: string): string | undefined {
    this.#facts ??= allBlockDevices(this.#context).map((device) => ({ device, values: this.#probe(device) }));
    const fold = tag.endsWith("UUID") ? (text: string): string => text.toLowerCase() : (text: string): string => text;
    return this.#facts.find(({ values }) => fold(values[tag] ?? "") === fold(value))?.device;
  }

  /** The partition, or the whole drive, of the drive with this index. */
  drive(index: number, partition?: number): string | undefined {
    const drive = this.#drives[index];
    if (drive === undefined) return undefined;
    if (partition === undefined) return `/dev/${drive}`;
    const device = `/dev/${drive}${/\d$/.test(drive) ? "p" : ""}${partition}`;
    return isBlockDevice(device) ? device : undefined;
  }

  /** The drives, in their order. */
  get drives(): readonly string[] {
    return this.#drives;
  }

  /** What /dev/mapper/NAME of the guest is here. */
  mapped(name: string): string | undefined {
    const path = `/dev/mapper/${name}`;
    if (isBlockDevice(path)) return publicName(path);
    const uuid = /^luks-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(name)?.[1]?.replaceAll("-", "");
    // An encrypted volume that was opened under another name keeps its header's identity, as `CRYPT-LUKS2-<uuid>-<name>`.
    if (uuid === undefined) return undefined;
    return allBlockDevices(this.#context).find((device) => {
      const mapper = device.startsWith("/dev/mapper/") ? mapperDevice(device) : undefined;
      return mapper?.uuid.startsWith("CRYPT-") && mapper.uuid.includes(uuid);
    });
  }
}
