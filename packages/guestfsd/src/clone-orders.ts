// What the host sends to a clone, laid out as the system calls take it, so that nothing has to be converted. A cold machine without KVM
// pays for each piece of code that it runs for the first time; this keeps them few.
//
// First what makes it another machine, 128 bytes. They may come while its drives are still being attached:
//    0  72   struct rand_pool_info of linux/random.h, with 64 random bytes
//   72  33   machine-id(5), with its newline
//  112  16   host name
//
// Then its orders, 48 bytes:
//    0  32   one bit for each SCSI target at which there is a drive, lowest first
//   32  1    0 for the real thing, 1 for a rehearsal with a scratch disk, 2 for one with an empty disk, 3 for having what is called
//            often compiled, with the scratch disk
//   33  1    1 when the disk that is always there has got something else in it, 0 when it has been taken away
//
// The host's clock: 16 bytes, struct timespec.

/** Bytes of the time. */
export const timeSize = 16;

/** Bytes of machine-id(5). */
export const machineIdSize = 33;

const identitySize = 128;
const seedEnd = 72;
const machineIdEnd = seedEnd + machineIdSize;
const hostNameAt = 112;

const ordersSize = 48;
const targetMax = 256;
const purposeAt = 32;
const slotFilledAt = 33;

const purposes = ["launch", "rehearsal", "clearing", "compilation"] as const;

type Purpose = (typeof purposes)[number];

/** What makes a clone another machine than those of the same template; it changes when the next one is read into the same bytes. */
export class CloneIdentity {
  readonly bytes: Buffer = Buffer.alloc(identitySize);
  readonly seed: Uint8Array = this.bytes.subarray(0, seedEnd);
  readonly machineId: Uint8Array = this.bytes.subarray(seedEnd, machineIdEnd);
  readonly hostName: Uint8Array = this.bytes.subarray(hostNameAt);
}

/** The host's orders; they change when the next ones are read into the same bytes. */
export class CloneOrders {
  readonly bytes: Buffer = Buffer.alloc(ordersSize);

  get purpose(): Purpose | undefined {
    return purposes[this.bytes[purposeAt] ?? 0];
  }

  get slotFilled(): boolean {
    return this.bytes[slotFilledAt] === 1;
  }

  /** Targets of the drives that have come, in ascending order. */
  get drives(): number[] {
    const targets: number[] = [];
    for (let target = 0; target < targetMax; target++) {
      if (((this.bytes[target >> 3] ?? 0) & (1 << (target & 7))) !== 0) targets.push(target);
    }
    return targets;
  }
}
