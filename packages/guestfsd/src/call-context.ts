import type { Header } from "@guestfs/protocol";
import type { InputContext, OutputContext } from "./context.ts";
import { ConversationEndedError } from "./daemon-error.ts";
import type { DaemonState } from "./daemon-state.ts";
import { FileInput } from "./file-input.ts";
import { FileOutput } from "./file-output.ts";
import { ProgressSender } from "./progress-sender.ts";
import type { Sysroot } from "./sysroot.ts";
import { TransferWindow } from "./transfer-window.ts";
import type { Wire } from "./wire.ts";

const lookPeriod = 333;

/** What the conversation gives to a handler for one call. */
export interface CallSetup {
  readonly wire: Wire;
  readonly state: DaemonState;
  readonly header: Header;
  /** Whether the call is one of those that tell their progress. */
  readonly tellsProgress: boolean;
  /** Whether a file goes with it, either way. */
  readonly hasFile: boolean;
  sendReply(): void;
  endAfterReply(): void;
}

/** The context of one call. Most calls need little of it, so its parts are made on first use. */
export class CallContext implements InputContext, OutputContext {
  readonly state: DaemonState;
  readonly sysroot: Sysroot;
  readonly #setup: CallSetup;
  #progress: ProgressSender | undefined;
  #input: FileInput | undefined;
  #output: FileOutput | undefined;
  #nextLook = 0;

  constructor(setup: CallSetup) {
    this.#setup = setup;
    this.state = setup.state;
    this.sysroot = setup.state.sysroot;
    // Its time begins now. The other calls are short, and many.
    if (setup.tellsProgress || setup.hasFile) this.#progress = this.#makeProgress();
  }

  get pulse(): () => void {
    return () => this.#pulse();
  }

  progress(position: number, total: number): void {
    this.#progress ??= this.#makeProgress();
    this.#progress.report(position, total);
    this.#lookOut();
  }

  endAfterReply(): void {
    this.#setup.endAfterReply();
  }

  get input(): FileInput {
    const { wire, header } = this.#setup;
    this.#input ??= new FileInput(
      wire,
      (received) => {
        if (header.progressHint > 0) this.progress(Math.min(received, header.progressHint), header.progressHint);
      },
      this.state.get<TransferWindow>(TransferWindow.key),
    );
    return this.#input;
  }

  get output(): FileOutput {
    this.#output ??= new FileOutput(this.#setup.wire, this.state.chunkSize, () => this.#setup.sendReply());
    return this.#output;
  }

  /** Whether the reply has gone out before the handler returned. */
  get replied(): boolean {
    return this.#output?.started ?? false;
  }

  /** Sends the last progress message, when there was one before. */
  finish(): void {
    this.#progress?.finish();
  }

  #makeProgress(): ProgressSender {
    const { wire, header } = this.#setup;
    return new ProgressSender(wire, header.procedure, header.serial);
  }

  #pulse(): void {
    if (this.#setup.tellsProgress) this.#progress?.pulse();
    this.#lookOut();
  }

  /** @throws ConversationEndedError when the client has gone: nobody wants the rest of a long call */
  #lookOut(): void {
    const now = performance.now();
    if (now < this.#nextLook) return;
    if (this.#nextLook > 0 && this.#setup.wire.gone())
      throw new ConversationEndedError("the client went away during a call");
    if (!this.#setup.hasFile) this.#setup.wire.refuseCalls();
    this.#nextLook = now + lookPeriod;
  }
}
