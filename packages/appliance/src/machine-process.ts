import type { Socket } from "node:net";
import { QmpClient, QmpError, qemuArguments, spawnOwned } from "@guestfs/qemu";
import type { MachineDescription, OwnedProcess } from "@guestfs/qemu";
import { ApplianceError, messageOf } from "./appliance-error.ts";
import { attachDrives, detachDrive, prepareDrives, removeNodes } from "./attach-drives.ts";
import { ConsoleTail } from "./console-tail.ts";
import type { RunningAppliance } from "./running-appliance.ts";
import { StartLimit } from "./start-limit.ts";
import { makeWindowFile } from "./window-file.ts";
import type { WindowFile } from "./window-file.ts";

/** Descriptors that QEMU inherits: the daemon's channel, QMP, a saved state when one is loaded, and the window's file. */
export const channelFd = 3;
export const qmpFd = 4;
export const stateFd = 5;
export const windowFd = 6;

const QUIT_TIMEOUT_MS = 10_000;
const QMP_TIMEOUT_MS = 30_000;

/** What {@link MachineProcess.start} needs. */
export interface MachineStart {
  /** Path or name of QEMU. */
  hv: string;
  machine: MachineDescription;
  /** Descriptor of ours that becomes {@link stateFd} in QEMU. */
  state?: number;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onConsole?: ((bytes: Uint8Array) => void) | undefined;
  onDebug(line: string): void;
}

/** A QEMU that is being started: until it is handed over, every wait ends when it dies, the time is up, or the caller gives up. */
export class MachineProcess {
  readonly qemu: OwnedProcess;
  readonly channel: Socket;
  readonly tail: ConsoleTail;
  readonly onDebug: (line: string) => void;
  readonly #window: WindowFile;
  /** How far it has come, for the error when it ends. */
  stage: "qemu" | "boot" = "qemu";
  readonly #failed: Promise<never>;
  readonly #timeoutMs: number;
  #limit: StartLimit;
  #qmp: QmpClient | undefined;

  private constructor(qemu: OwnedProcess, window: WindowFile, start: MachineStart) {
    this.qemu = qemu;
    this.#window = window;
    void qemu.exited.then(() => window.file.close());
    this.tail = new ConsoleTail();
    this.onDebug = (line) => start.onDebug(line);
    this.#timeoutMs = start.timeoutMs;
    const receive = (bytes: Buffer): void => {
      this.tail.add(bytes);
      start.onConsole?.(bytes);
    };
    qemu.child.stdout?.on("data", receive);
    qemu.child.stderr?.on("data", receive);
    // node makes unix socket pairs for such descriptors, so there are no socket files that others could reach.
    this.channel = qemu.child.stdio[channelFd] as Socket;
    this.channel.on("error", () => undefined);
    this.#failed = qemu.exited.then((exit): never => {
      const how = exit.signal === null ? `exit status ${exit.code}` : `killed by ${exit.signal}`;
      const message =
        this.stage === "qemu"
          ? `QEMU ended at once (${how})`
          : `the appliance ended before its daemon greeted (${how})`;
      throw new ApplianceError({
        stage: this.stage,
        message,
        evidence: this.tail.text(),
        fix: fixFor(this.tail.text()),
      });
    });
    this.#failed.catch(() => undefined);
    this.#limit = new StartLimit(start.timeoutMs, start.signal, this.tail);
  }

  /** @throws ApplianceError of stage `host` */
  static async start(start: MachineStart): Promise<MachineProcess> {
    const args = qemuArguments(start.machine);
    start.onDebug(`running ${start.hv} ${args.join(" ")}`);
    let window: WindowFile | undefined;
    try {
      window = await makeWindowFile();
      if (!window.hasRoom) start.onDebug("no room for a window: uploads go over the channel");
      const stdio = ["ignore", "pipe", "pipe", "pipe", "pipe", start.state ?? "ignore", window.file.fd] as const;
      return new MachineProcess(await spawnOwned(start.hv, args, { stdio: [...stdio] }), window, start);
    } catch (error) {
      await window?.file.close();
      throw new ApplianceError({
        stage: "host",
        message: `${start.hv} can't be started`,
        evidence: messageOf(error),
        cause: error,
      });
    }
  }

  /** Connects to QMP; call it once. */
  async connect(): Promise<QmpClient> {
    const monitor = this.qemu.child.stdio[qmpFd] as Socket;
    this.#qmp = await this.wait(QmpClient.connect(monitor, { timeoutMs: Math.min(this.#timeoutMs, QMP_TIMEOUT_MS) }));
    return this.#qmp;
  }

  /** Waits for something, but not longer than QEMU lives, the time allows and the caller wants. */
  wait<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed, this.#limit.reached]);
  }

  /** From now on it may take as long as it likes; it still ends with QEMU. It does not keep the program running. */
  rest(): void {
    this.#keepsProgram(false);
    this.#limit.end();
    this.#limit = new StartLimit(undefined, undefined, this.tail);
  }

  #keepsProgram(keeps: boolean): void {
    const parts = [this.qemu.child, ...this.qemu.child.stdio] as (Pick<Socket, "ref" | "unref"> | null)[];
    for (const part of parts) {
      if (keeps) part?.ref();
      else part?.unref();
    }
  }

  /** Sets another limit for what comes. */
  hurry(timeoutMs: number, signal: AbortSignal | undefined): void {
    this.#keepsProgram(true);
    this.#limit.end();
    this.#limit = new StartLimit(timeoutMs, signal, this.tail);
  }

  /** Ends what is left of a start that failed, and finds the error that says most. */
  async failure(error: unknown): Promise<unknown> {
    // When QEMU ends, its sockets end a moment before; what it wrote at the end is worth waiting for.
    const gone = error instanceof QmpError && error.code === "closed";
    const cause = gone
      ? await Promise.race([this.#failed, this.#limit.reached]).catch((reason: unknown) => reason)
      : error;
    this.#limit.end();
    this.qemu.kill();
    await this.qemu.exited;
    if (!(cause instanceof QmpError)) return cause;
    return new ApplianceError({
      stage: this.stage,
      message: `QEMU refused: ${cause.message}`,
      evidence: this.tail.text(),
      cause,
    });
  }

  /** Hands the machine over to whoever asked for it. */
  handOver(accelerator: "kvm" | "tcg", tmpDir: string): RunningAppliance {
    this.#limit.end();
    const { qemu, channel, tail, onDebug } = this;
    const qmp = this.#qmp;
    let released = false;
    let waits = 0;
    /** What waits for QEMU keeps the program running, also when nothing else does. */
    const waiting = async <T>(work: () => Promise<T>): Promise<T> => {
      waits++;
      qemu.child.ref();
      try {
        return await work();
      } finally {
        if (--waits === 0 && released) qemu.child.unref();
      }
    };
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      const timer = setTimeout(() => qemu.kill(), QUIT_TIMEOUT_MS);
      await qmp?.execute("quit", {}, QUIT_TIMEOUT_MS).catch(() => undefined);
      await qemu.exited;
      clearTimeout(timer);
      channel.destroy();
      qmp?.close();
    };
    return {
      channel,
      window: this.#window.hasRoom ? this.#window.file : undefined,
      pid: qemu.pid,
      accelerator,
      exited: qemu.exited,
      consoleTail: () => tail.text(),
      addDrive: (drive, target) =>
        waiting(async () => {
          if (qmp === undefined) return;
          const drives = await prepareDrives([drive]);
          try {
            await attachDrives(qmp, drives, tmpDir, { first: target, onDebug });
          } catch (error) {
            const removed = removeNodes(qmp, target).catch(() => undefined);
            // A QEMU that gives no answer gives none to this either.
            if (!(error instanceof ApplianceError && isLate(error))) await removed;
            throw error;
          }
        }),
      removeDrive: (target) =>
        waiting(async () => {
          if (qmp !== undefined) await detachDrive(qmp, target);
        }),
      stop: () => (stopping ??= waiting(stop)),
      release() {
        released = true;
        const others = qemu.child.stdio.filter((stream) => stream !== channel);
        for (const stream of others) (stream as Socket | null)?.unref();
        if (waits === 0) qemu.child.unref();
      },
      kill: () => qemu.kill(),
    };
  }
}

/** Whether an error tells of a QEMU that does not answer. */
const isLate = ({ cause }: Error): boolean => cause instanceof QmpError && cause.code === "timeout";

/** Waits for the first bytes of a channel and leaves them there. */
export function firstBytes(channel: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (channel.readableLength > 0) {
      resolve();
      return;
    }
    const onEnd = (): void => reject(new QmpError("closed", "channel", "the channel was closed"));
    channel.once("end", onEnd);
    channel.once("readable", () => {
      channel.off("end", onEnd);
      if (channel.readableLength > 0) resolve();
      else onEnd();
    });
  });
}

function fixFor(evidence: string): string {
  if (/[Cc]annot (set up guest memory|allocate memory)/.test(evidence))
    return "free some memory, or start the appliance with a smaller memsize";
  if (/Out of memory|out of memory/.test(evidence)) return "start the appliance with a larger memsize";
  return "";
}
