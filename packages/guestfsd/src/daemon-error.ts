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

/** What the policy of the machine, a freeze or the client's own wish forbids. */
export class RefusedError extends DaemonError {
  override readonly name: string = "RefusedError";
}

/** A program of this side failed; the message is what it said. */
export class ProgramError extends DaemonError {
  override readonly name: string = "ProgramError";
  /** How it ended: `status 1`, `signal 9`. */
  readonly end: string;

  constructor(message: string, end: string) {
    super(message);
    this.end = end;
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
