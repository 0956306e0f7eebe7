import { randomUuid } from "../random.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { run } from "../exec.ts";
import { readPartitionTable } from "../native/blkid.ts";
import { parted, readWithParted } from "../parted.ts";
import { syncPartitions } from "../partition-sync.ts";
import { checkGuid, checkNumber, entryOf, tableOfType } from "../partition-table.ts";

type AttributeCalls = Extract<
  keyof HandlersOf<"partition">,
  `part_get_${string}` | `part_set_${string}` | "part_expand_gpt"
>;

const bootIndicator = 0x80n;
const efiSystemType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const idMax = 255;
const attributeBits = 64;

/** sfdisk's way to set one thing of a table; where partitions lie does not change, so the kernel need not be told. */
function setWithSfdisk(...words: string[]): void {
  run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", ...words]);
}

const namedAttributes = ["RequiredPartition", "NoBlockIOProtocol", "LegacyBIOSBootable"];
const firstTypeSpecificBit = 48;

/** Sets the attributes: the bits as sfdisk(8) takes them, `RequiredPartition` or `GUID:63`; the reserved ones only sgdisk(8) takes. */
function setAttributes(device: string, partnum: number, attributes: bigint): void {
  const bits = Array.from({ length: attributeBits }, (_, bit) => bit).filter((bit) => (attributes >> BigInt(bit)) & 1n);
  if (bits.some((bit) => bit >= namedAttributes.length && bit < firstTypeSpecificBit)) {
    run(["sgdisk", "--attributes", `${partnum}:=:${attributes.toString(16).padStart(16, "0")}`, "--", device]);
    syncPartitions(device);
    return;
  }
  const names = bits.map((bit) => namedAttributes[bit] ?? `GUID:${bit}`);
  setWithSfdisk("--part-attrs", "--", device, String(partnum), names.join(","));
}

/** What a partition table says beside where the partitions lie. */
export const partitionAttribute: Pick<HandlersOf<"partition">, Exclude<AttributeCalls, "part_get_parttype">> = {
  part_get_bootable({ device, partnum }) {
    checkNumber(partnum);
    const table = readPartitionTable(device);
    if (table?.type === "dos") return entryOf(device, table, partnum).flags === bootIndicator;
    // What parted calls bootable in a GPT.
    if (table?.type === "gpt") return entryOf(device, table, partnum).typeText === efiSystemType;
    const found = readWithParted(device).partitions.find(({ number }) => number === partnum);
    if (!found) throw new DaemonError(`${device}: there is no partition number ${partnum}`, "ENOENT");
    return found.flags.includes("boot");
  },
  part_set_bootable({ device, partnum, bootable }) {
    checkNumber(partnum);
    parted(device, "set", String(partnum), "boot", bootable ? "on" : "off");
  },
  part_get_name({ device, partnum }) {
    return entryOf(device, tableOfType(device, "gpt"), partnum).name;
  },
  part_set_name({ device, partnum, name }) {
    entryOf(device, tableOfType(device, "gpt"), partnum);
    setWithSfdisk("--part-label", "--", device, String(partnum), name);
  },
  part_get_mbr_id: ({ device, partnum }) => entryOf(device, tableOfType(device, "dos"), partnum).type,
  part_set_mbr_id({ device, partnum, idbyte }) {
    entryOf(device, tableOfType(device, "dos"), partnum);
    if (idbyte < 0 || idbyte > idMax) throw new DaemonError(`${idbyte}: a type must be from 0 to ${idMax}`, "EINVAL");
    setWithSfdisk("--part-type", "--", device, String(partnum), idbyte.toString(16));
  },
  part_get_mbr_part_type({ device, partnum }) {
    const table = readPartitionTable(device);
    if (table?.type === "gpt") return entryOf(device, table, partnum).kind;
    return entryOf(device, tableOfType(device, "dos"), partnum).kind;
  },

  part_get_gpt_type: ({ device, partnum }) =>
    entryOf(device, tableOfType(device, "gpt"), partnum).typeText.toUpperCase(),
  part_set_gpt_type({ device, partnum, guid }) {
    checkGuid(guid);
    entryOf(device, tableOfType(device, "gpt"), partnum);
    setWithSfdisk("--part-type", "--", device, String(partnum), guid);
  },
  part_get_gpt_guid: ({ device, partnum }) => entryOf(device, tableOfType(device, "gpt"), partnum).uuid.toUpperCase(),
  part_set_gpt_guid({ device, partnum, guid }) {
    checkGuid(guid);
    entryOf(device, tableOfType(device, "gpt"), partnum);
    setWithSfdisk("--part-uuid", "--", device, String(partnum), guid);
  },
  part_get_gpt_attributes: ({ device, partnum }) =>
    BigInt.asIntN(attributeBits, entryOf(device, tableOfType(device, "gpt"), partnum).flags),
  part_set_gpt_attributes({ device, partnum, attributes }) {
    entryOf(device, tableOfType(device, "gpt"), partnum);
    setAttributes(device, partnum, BigInt.asUintN(attributeBits, attributes));
  },
  part_get_disk_guid: ({ device }) => tableOfType(device, "gpt").id.toUpperCase(),
  part_set_disk_guid({ device, guid }) {
    checkGuid(guid);
    tableOfType(device, "gpt");
    setWithSfdisk("--disk-id", "--", device, guid);
  },
  part_set_disk_guid_random({ device }) {
    tableOfType(device, "gpt");
    setWithSfdisk("--disk-id", "--", device, randomUuid());
  },
  part_expand_gpt({ device }) {
    run(["sgdisk", "--move-second-header", device]);
    syncPartitions(device);
  },
};
