/** Where received content goes. Whoever gets a promise waits for it before the next call. */
export interface ByteSink {
  /** Called once, when the daemon has agreed to send. */
  open(): Promise<void> | undefined;
  /** Takes the bytes before it returns: the memory is used again. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** All bytes were written. */
  end(): Promise<void> | undefined;
  /** No more will come: cancelled, or the daemon failed. Never rejects, and waits for nobody but a file of this machine; may come in any state, and again. */
  abort(error: Error): Promise<void>;
}
