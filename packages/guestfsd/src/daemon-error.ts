/** A call that failed, with the words and the errno that the client is told. */
export class DaemonError extends Error {
  override readonly name: string = "DaemonError";
  /** symbolic name such as `ENOENT`, empty when there is none */
  readonly errno: string;

  constructor(message: string, errno = "", options?: ErrorOptions) {
    super(message, options);
    this.errno = errno;
  }
}

/** The client took back what it was sending. */
export class UploadCancelledError extends DaemonError {
  override readonly name: string = "UploadCancelledError";
  constructor() {
    super("file upload cancelled", "EINTR");
  }
}

/** The client does not want the rest of what it was being sent. */
export class DownloadCancelledError extends Error {
  override readonly name: string = "DownloadCancelledError";
}

/** The channel is of no more use for this conversation: it ended, or what came over it is no protocol. */
export class ConversationEndedError extends Error {
  override readonly name: string = "ConversationEndedError";
}
