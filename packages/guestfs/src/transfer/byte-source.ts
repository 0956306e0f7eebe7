/** Content to send, from wherever. */
export interface ByteSource {
  /** Size in bytes when it is known, else 0: the daemon reckons progress by it. */
  readonly size: number;
  /** When `read` fills less than it could, nothing follows. */
  readonly shortReadIsEnd: boolean;
  /**
   * Fills the views in order, as far as there is content.
   * @returns the number of bytes; 0 at the end
   */
  read(views: readonly Uint8Array[]): Promise<number> | number;
  /** Lets go of what is behind it; never rejects, and waits for nobody. */
  close(): Promise<void>;
}
