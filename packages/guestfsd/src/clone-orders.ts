// The host's orders: 256 bytes whose parts are what the system calls take, so that nothing has to be converted. A cold machine
// without KVM pays for each piece of code that it runs for the first time; this keeps them few.
//
//    0  1    0 for the real thing, 1 for a rehearsal with a scratch disk, 2 for one with an empty disk, 3 for having what is called
//            often compiled, with the scratch disk
//    1  1    1 when the disk that is always there has got something else in it, 0 when it has been taken away
//    8  72   struct rand_pool_info of linux/random.h, with 64 random bytes
//   80  33   machine-id(5), with its newline
//  120  24   host name, padded with NUL
//  144  32   one bit for each SCSI target at which there is a drive, lowest first
//
// The host's clock: 16 bytes, struct timespec.

/** Bytes of the orders. */
export const ordersSize = 256;

/** Bytes of the time. */
export const timeSize = 16;

const seedAt = 8;
const seedEnd = 80;
const machineIdEnd = 113;
const hostNameAt = 120;
const hostNameEnd = 144;
const drivesAt = 144;
const targetMax = 256;

const purposes = ["launch", "rehearsal", "clearing", "compilation"] as const;

type Purpose = (typeof purposes)[number];

/** The parts of the host's orders; they change when the next ones are read into the same bytes. */
export class CloneOrders {
  readonly bytes: Buffer = Buffer.alloc(ordersSize);
  readonly seed: Uint8Array = this.bytes.subarray(seedAt, seedEnd);
  readonly machineId: Uint8Array = this.bytes.subarray(seedEnd, machineIdEnd);
  readonly #hostName: Uint8Array = this.bytes.subarray(hostNameAt, hostNameEnd);

  get purpose(): Purpose | undefined {
    return purposes[this.bytes[0] ?? 0];
  }

  get slotFilled(): boolean {
    return this.bytes[1] === 1;
  }

  get hostName(): Uint8Array {
    return this.#hostName.subarray(0, this.#hostName.indexOf(0));
  }

  /** Targets of the drives that have come, in ascending order. */
  get drives(): number[] {
    const targets: number[] = [];
    for (let target = 0; target < targetMax; target++) {
      if (((this.bytes[drivesAt + (target >> 3)] ?? 0) & (1 << (target & 7))) !== 0) targets.push(target);
    }
    return targets;
  }
}
