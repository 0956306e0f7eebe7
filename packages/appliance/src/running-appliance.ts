import type { FileHandle } from "node:fs/promises";
import type { Socket } from "node:net";
import type { ApplianceDrive } from "./drive.ts";

/** How QEMU ended: an exit code, or the signal that killed it. */
export interface ApplianceExit {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  /** Signal name, or null when it exited. */
  signal: NodeJS.Signals | null;
}

/** What to start. */
export interface ApplianceOptions {
  /** The disks, in the order of their names in the guest (`/dev/sda` first). */
  drives: readonly ApplianceDrive[];
  /** Memory of the guest in MiB, 256 or more. */
  memsize: number;
  /** Number of virtual processors, 1 to 255. */
  smp: number;
  /** The QEMU to run: a path, or a name on PATH. Default `qemu-system-x86_64`. */
  hv?: string;
  /** Arguments put at the end of QEMU's command line as they are. With any, the appliance is booted: it is no template's machine. */
  hvArguments?: readonly string[];
  /** Words put at the end of the guest kernel's command line. */
  append?: string;
  /** `true`: the guest gets a network card (QEMU's user-mode network, outgoing only). */
  network: boolean;
  /** Folder for built appliances and for what is known about this host; made 0700 when missing. */
  cacheDir: string;
  /** Folder for the overlays of read-only drives. They lose their names once QEMU has them open, so nothing stays there. */
  tmpDir: string;
  /** Folder with the bundled daemon: `guestfsd.cjs` and what it loads. */
  daemonBundle: string;
  /** `true`: the kernel and the daemon are talkative (no `quiet`, `guestfsd -v`). */
  verbose: boolean;
  /** `"auto"` (default): KVM where a guest has run with it since this host booted, else TCG. `"kvm"`, `"tcg"`: just that. */
  accelerator?: "auto" | "kvm" | "tcg";
  /**
   * `true` (default): a saved machine, made on first use, is restored instead of booting one; when that does not work, for whatever
   * reason, one is booted all the same. `false`: always boot.
   */
  template?: boolean;
  /** Receives every piece of the guest's console and of QEMU's standard error. */
  onConsole?(bytes: Uint8Array): void;
  /** Receives one line for each thing worth knowing when something is slow or fails. */
  onDebug?(line: string): void;
  /** Aborting it before the greeting stops everything and rejects with an ApplianceError of stage `cancelled`. */
  signal?: AbortSignal;
  /** How long the guest may take from QEMU's start to its greeting, in milliseconds. Default 120 000. Building is not counted. */
  timeoutMs?: number;
}

/** An appliance whose daemon has greeted. */
export interface RunningAppliance {
  /**
   * The daemon's channel: connected, paused, nothing consumed. The daemon's greeting (4 bytes 0xf5f55ff5) is the first thing
   * that will be read from it.
   */
  readonly channel: Socket;
  /**
   * The file of the window (PROTOCOL.md), open for reading and writing. It is closed when QEMU has ended. `undefined` where there is no
   * room for it: the machine has a window all the same, but content has to go over the channel.
   */
  readonly window: FileHandle | undefined;
  /** Process id of QEMU. */
  readonly pid: number;
  /** `"kvm"` or `"tcg"`: what the guest runs on. */
  readonly accelerator: "kvm" | "tcg";
  /** Settles when QEMU has ended, however it ended; never rejects. */
  readonly exited: Promise<ApplianceExit>;
  /**
   * Adds a drive to the running machine; the guest has to be told to look at its target.
   *
   * @param target SCSI target, one that no drive has had
   * @throws ApplianceError of stage `drive`
   */
  addDrive(drive: ApplianceDrive, target: number): Promise<void>;
  /**
   * Takes a drive away; the guest must have let go of it.
   *
   * @throws ApplianceError of stage `drive`
   */
  removeDrive(target: number): Promise<void>;
  /** The last 16 KiB of console and standard error, as text. */
  consoleTail(): string;
  /**
   * Ends QEMU (QMP `quit`, which flushes and closes the images) and kills it when it takes more than 10 s. The guest isn't asked: whoever wants its filesystems clean unmounts and syncs first. May be called twice.
   */
  stop(): Promise<void>;
  /**
   * From now on the program may end while QEMU runs, which ends with it. The channel is left to whoever reads it; what is
   * asked of the appliance is still waited for.
   */
  release(): void;
  /** Kills QEMU at once: what the guest or QEMU had not written is lost. */
  kill(): void;
}
