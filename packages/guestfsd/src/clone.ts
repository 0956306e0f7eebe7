import { closeSync, ftruncateSync, openSync, rmSync, symlinkSync } from "node:fs";
import type { Channel } from "./channel.ts";
import { CloneIdentity, CloneOrders, machineIdSize, timeSize } from "./clone-orders.ts";
import { countFrames, interpretAtFirst, learnAtOnce } from "./compilation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { keepListOfDrives } from "./device.ts";
import { DriveScanner } from "./drive-scan.ts";
import { mappedFile } from "./native/memory-map.ts";
import { touchHeap } from "./native/heap.ts";
import { KernelRandom, setClock, setHostName } from "./native/machine-state.ts";
import { compileFrequentCalls, warmUp } from "./warm-up.ts";

type Log = (line: string) => void;

const machineId = "/run/machine-id";
const readyWord = Buffer.from("guestfsd ready\n");
const timeWord = Buffer.from("guestfsd time\n");
// Of the disk that a template has.
const slotTarget = 0;
const driveTimeout = 20_000;
// A time that took longer to come may be off by as much.
const timePatience = 20;
const timeQuestions = 5;

/** The file in memory: clones write it without a system call, whose code would be new to them. */
function mapMachineId(): Uint8Array {
  const fd = openSync(machineId, "w+", 0o644);
  try {
    ftruncateSync(fd, machineIdSize);
    return mappedFile(fd, machineIdSize);
  } finally {
    closeSync(fd);
  }
}

/** A machine that is to be saved, and what its clones need, opened beforehand. */
class CloneableMachine {
  readonly #channel: Channel;
  readonly #options: DaemonOptions;
  readonly #log: Log | undefined;
  readonly #identity = new CloneIdentity();
  readonly #orders = new CloneOrders();
  readonly #time = Buffer.alloc(timeSize);
  readonly #random = new KernelRandom();
  readonly #scanner = new DriveScanner();
  readonly #slot = this.#scanner.slot(slotTarget, driveTimeout);
  readonly #machineId: Uint8Array;
  #isFirst = true;

  constructor(channel: Channel, options: DaemonOptions, log: Log | undefined) {
    this.#channel = channel;
    this.#options = options;
    this.#log = log;
    // In memory; the place where it is looked for is in an overlay, where the first write costs a copy.
    rmSync("/etc/machine-id", { force: true });
    symlinkSync(machineId, "/etc/machine-id");
    this.#machineId = mapMachineId();
    // Clones with more drives than one need not compile it: 1,100 of 20,900 blocks that TCG translates for a launch with three.
    this.#scanner.add([]);
  }

  /** Does what the host orders, and says whether it was the real thing. */
  obey(): boolean {
    // Most clones have the drive that the slot gets, and nothing else.
    keepListOfDrives();
    touchHeap();
    this.#channel.write(readyWord);
    this.#becomeAnother();
    const orders = this.#orders;
    this.#receive(orders.bytes);
    const { drives } = orders;
    if (orders.slotFilled) this.#slot.refresh();
    else this.#scanner.remove(slotTarget);
    if (drives.length > 0) {
      const missing = this.#scanner.add(drives);
      if (missing.length > 0) this.#log?.(`no disk came of the SCSI targets ${missing.join(" ")}`);
    }
    this.#setTime();
    if (orders.purpose === "launch") return true;
    if (orders.purpose === "rehearsal") {
      // It is the disk that clones put their first drive into, and stays as it is set here.
      if (this.#isFirst) this.#slot.favourBulk();
      warmUp(this.#isFirst, this.#options, this.#log);
      this.#isFirst = false;
    } else if (orders.purpose === "compilation") compileFrequentCalls(this.#options);
    else this.#slot.forgetPartition(1);
    for (const target of drives) this.#scanner.remove(target);
    return false;
  }

  #becomeAnother(): void {
    const identity = this.#identity;
    this.#receive(identity.bytes);
    this.#random.reseed(identity.seed);
    setHostName(identity.hostName);
    this.#machineId.set(identity.machineId);
  }

  #setTime(): void {
    for (let question = 0; question < timeQuestions; question++) {
      const asked = performance.now();
      this.#channel.write(timeWord);
      this.#receive(this.#time);
      setClock(this.#time);
      if (performance.now() - asked < timePatience) return;
    }
  }

  #receive(target: Buffer): void {
    let length = 0;
    while (length < target.length) {
      const count = this.#channel.read(length === 0 ? target : target.subarray(length), length > 0);
      if (count === 0) throw new Error("the host has closed the port");
      length += count;
    }
  }
}

/**
 * Makes this machine ready to be saved as a template, and waits there. In each machine that is restored from it, what follows makes it
 * a fresh one: other randomness, the host's time, names of its own, the drives it was given. Nothing was sent to the client yet, so the
 * conversation starts as it does everywhere.
 *
 * The daemon says `guestfsd ready`, answered by an identity and orders (clone-orders.ts), and `guestfsd time`, answered by the time. Some
 * orders are rehearsals: what a clone does then has been done before, so that none of it needs to be loaded or compiled in each clone. The
 * machine is saved while it waits for orders that are none.
 */
export function waitToBeCloned(channel: Channel, options: DaemonOptions, log: Log | undefined): void {
  const machine = new CloneableMachine(channel, options, log);
  // What is called after the last rehearsal has to have been called before: to compile even that little costs a clone 20 ms.
  countFrames();
  learnAtOnce();
  interpretAtFirst();
  while (!machine.obey());
  countFrames();
}
