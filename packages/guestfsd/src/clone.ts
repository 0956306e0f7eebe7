import { readSync, writeFileSync, writeSync } from "node:fs";
import { addDrives, removeDrive } from "./drive-scan.ts";
import { reseedKernel, setClock, setHostName } from "./native/machine-state.ts";
import { warmUp } from "./warm-up.ts";

/** What the host sends to a machine that was saved and restored, in one line of JSON. */
interface CloneOrders {
  /** Base64 of 32 bytes or more. */
  readonly seed: string;
  readonly machineId: string;
  readonly hostName: string;
  /** SCSI targets of the drives that the machine has now. */
  readonly drives: readonly number[];
}

/** The clock of the host, sent when it was asked for: nanoseconds since 1970, in decimal. */
interface HostTime {
  readonly time: string;
}

/** What the host sends while it makes a template: a scratch drive's target. */
interface WarmUpOrders {
  readonly scratch: number;
}

const driveTimeout = 20_000;
const lineMax = 64 * 1024;

/** Lines of text over the port, before the conversation begins. */
class OrderLine {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  tell(word: string): void {
    writeSync(this.#fd, `guestfsd ${word}\n`);
  }

  receive<T>(): T {
    const bytes = Buffer.alloc(lineMax);
    let length = 0;
    while (length === 0 || bytes[length - 1] !== 10) {
      const count = readSync(this.#fd, bytes, length, lineMax - length, null);
      if (count === 0) throw new Error("the host has closed the port");
      length += count;
    }
    return JSON.parse(bytes.toString("utf8", 0, length)) as T;
  }
}

function becomeFresh(orders: CloneOrders): void {
  reseedKernel(Buffer.from(orders.seed, "base64"));
  setHostName(orders.hostName);
  writeFileSync("/etc/machine-id", `${orders.machineId}\n`);
}

function askTime(line: OrderLine): void {
  const asked = process.hrtime.bigint();
  line.tell("time");
  const { time } = line.receive<HostTime>();
  setClock(BigInt(time) + process.hrtime.bigint() - asked);
}

/**
 * Makes this machine ready to be saved as a template, and waits there. In each machine that is restored from it, what follows makes it
 * a fresh one: other randomness, the host's time, names of its own, the drives it was given. Nothing was sent to the client yet, so the
 * conversation starts as it does everywhere.
 *
 * Over the port go lines of text: `guestfsd warm`, answered by a scratch drive; `guestfsd save`, answered (in the clone) by the orders;
 * `guestfsd time`, answered by the time.
 *
 * @param fd - the port
 */
export function waitToBeCloned(fd: number, log: ((line: string) => void) | undefined): void {
  const line = new OrderLine(fd);
  line.tell("warm");
  const { scratch } = line.receive<WarmUpOrders>();
  addDrives([scratch], driveTimeout);
  warmUp(log);
  removeDrive(scratch);
  askTime(line);
  line.tell("save");
  const orders = line.receive<CloneOrders>();
  becomeFresh(orders);
  const missing = addDrives(orders.drives, driveTimeout);
  if (missing.length > 0) log?.(`no disk came of the SCSI targets ${missing.join(" ")}`);
  askTime(line);
}
