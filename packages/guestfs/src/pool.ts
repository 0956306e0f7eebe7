import type { ApplianceOptions, WaitingAppliance } from "@guestfs/appliance";
import type { ApplianceReserve } from "./attach/attachment.ts";
import { requireKnown } from "./known-options.ts";
import { Settings } from "./settings.ts";

/** How a pool is made. */
export interface GuestfsPoolOptions {
  /** How many appliances wait, 1 to 1000. Each takes memory for the pages that differ from the template, some 100 MB without KVM. */
  size: number;
  /** Memory of the appliances in MiB, as `setMemsize`. Default 1280, or the environment's. */
  memsize?: number;
  /** Processors of the appliances, as `setSmp`. Default 1. */
  smp?: number;
  /** Whether they have a network, as `setNetwork`. Default false. */
  network?: boolean;
  /** Whether the variables `LIBGUESTFS_*` of the process's environment are read. Default true. */
  environment?: boolean;
}

/** How long a pool rests after it could not start an appliance, in milliseconds. */
const pause = 10_000;

const optionNames: Record<keyof GuestfsPoolOptions, true> = {
  size: true,
  memsize: true,
  smp: true,
  network: true,
  environment: true,
};

const keyOf = (options: ApplianceOptions): string =>
  JSON.stringify(Object.entries(options).filter(([, value]) => typeof value !== "function" && !Array.isArray(value)));

/**
 * Appliances that are started ahead and wait for drives, so that `launch` takes some milliseconds:
 *
 *     await using pool = new GuestfsPool({ size: 4 });
 *     await pool.ready();
 *     await using g = new Guestfs({ pool });
 *
 * A handle whose settings the pool's appliances do not have (memsize, smp, network, append, hv, verbose, folders, backend settings)
 * launches as if there were no pool, and so does one that finds it empty. An appliance that was taken is replaced; each is used once.
 * They are started one after the other.
 */
export class GuestfsPool implements ApplianceReserve {
  readonly #size: number;
  readonly #settings: Settings;
  readonly #waiting: WaitingAppliance[] = [];
  readonly #stop = new AbortController();
  #options: ApplianceOptions | undefined;
  #filling: Promise<void> | undefined;
  #resting: NodeJS.Timeout | undefined;

  /**
   * @param options - how many, and how they are set
   * @throws TypeError when there is no such option; RangeError when an option or a variable of the environment makes no sense
   */
  constructor(options: GuestfsPoolOptions) {
    requireKnown("GuestfsPool", options, optionNames);
    const { size, memsize, smp, network } = options;
    if (!Number.isInteger(size) || size < 1 || size > 1000)
      throw new RangeError(`GuestfsPool: size: ${size} is not an integer from 1 to 1000`);
    this.#size = size;
    this.#settings = new Settings(process.env);
    if (options.environment ?? true) this.#settings.readEnvironment("GuestfsPool", process.env);
    if (memsize !== undefined) this.#settings.setMemsize(memsize);
    if (smp !== undefined) this.#settings.setSmp(smp);
    if (network !== undefined) this.#settings.network = network;
    this.#fill();
  }

  /** How many appliances wait now. */
  get waiting(): number {
    return this.#waiting.filter(({ alive }) => alive).length;
  }

  /** Waits until the pool is full, or has found that it can't be filled now; never rejects. */
  async ready(): Promise<void> {
    while (this.#filling !== undefined) await this.#filling;
  }

  /** For `launch`. */
  take(options: ApplianceOptions): WaitingAppliance | undefined {
    if (this.#options === undefined || keyOf(options) !== keyOf(this.#options)) return undefined;
    let taken = this.#waiting.shift();
    while (taken?.alive === false) taken = this.#waiting.shift();
    // The caller's launch comes first.
    setImmediate(() => this.#fill());
    return taken;
  }

  /** Ends all appliances that wait; those that were taken go on. Launches that know the pool start appliances of their own from now on. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the pool was closed"));
    clearTimeout(this.#resting);
    await this.#filling;
    await Promise.all(this.#waiting.splice(0).map((appliance) => appliance.stop()));
  }

  /** The same as {@link GuestfsPool.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #fill(): void {
    if (this.#stop.signal.aborted || this.#resting !== undefined) return;
    this.#filling ??= this.#startMissing().then(
      () => this.#filled(),
      () => {
        this.#filled();
        // Launches say what is wrong; the pool tries again later.
        this.#resting = setTimeout(() => {
          this.#resting = undefined;
          this.#fill();
        }, pause).unref();
      },
    );
  }

  #filled(): void {
    this.#filling = undefined;
  }

  async #startMissing(): Promise<void> {
    const { applianceOptions } = await import("./attach/appliance.ts");
    const { startWaitingAppliance } = await import("@guestfs/appliance");
    this.#options ??= applianceOptions(this.#settings);
    while (this.waiting < this.#size && !this.#stop.signal.aborted) {
      const started = await startWaitingAppliance({ ...this.#options, signal: this.#stop.signal });
      if (started === undefined) throw new Error("there is no template");
      this.#waiting.push(started);
    }
  }
}
