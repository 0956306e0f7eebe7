import type { Duplex } from "node:stream";

/** The QMP commands that have a type here; any other command takes a record and returns `unknown` (QEMU QMP Reference Manual). */
export interface QmpCommands {
  quit: { arguments: Record<never, never>; returns: unknown };
  stop: { arguments: Record<never, never>; returns: unknown };
  cont: { arguments: Record<never, never>; returns: unknown };
  "query-status": { arguments: Record<never, never>; returns: { status: string; running: boolean } };
  "query-version": {
    arguments: Record<never, never>;
    returns: { qemu: { major: number; minor: number; micro: number }; package: string };
  };
  "query-machines": { arguments: Record<never, never>; returns: { name: string; alias?: string; "cpu-max": number }[] };
  "query-qmp-schema": { arguments: Record<never, never>; returns: QmpSchemaEntry[] };
  "query-command-line-options": { arguments: { option?: string }; returns: { option: string }[] };
  "qom-list-types": { arguments: { implements?: string; abstract?: boolean }; returns: { name: string }[] };
  "query-named-block-nodes": {
    arguments: { flat?: boolean };
    returns: { "node-name": string; image: { "virtual-size": number } }[];
  };
  "blockdev-add": { arguments: Record<string, unknown>; returns: unknown };
  "blockdev-create": { arguments: { "job-id": string; options: Record<string, unknown> }; returns: unknown };
  "query-jobs": { arguments: Record<never, never>; returns: { id: string; status: string; error?: string }[] };
  "job-dismiss": { arguments: { id: string }; returns: unknown };
  "object-add": { arguments: Record<string, unknown>; returns: unknown };
  "object-del": { arguments: { id: string }; returns: unknown };
  device_add: { arguments: Record<string, unknown>; returns: unknown };
}

/** One entry of QEMU's description of its own protocol (QEMU documentation, "QAPI client introspection"). */
export interface QmpSchemaEntry {
  name: string;
  "meta-type": string;
  "arg-type"?: string;
  members?: { name: string; type: string }[];
  values?: string[];
  variants?: { case: string; type: string }[];
}

/** An event of QEMU: `SHUTDOWN`, `GUEST_PANICKED`, `JOB_STATUS_CHANGE`, ... */
export interface QmpEvent {
  /** Name of the event. */
  event: string;
  /** What it carries; empty when nothing. */
  data: Record<string, unknown>;
}

/**
 * Why a QMP call failed: `command`: QEMU refused it (`qmpClass` says of which class); `timeout`: no answer in time; `closed`: QEMU is
 * gone; `protocol`: what came was not QMP.
 */
export type QmpErrorCode = "command" | "timeout" | "closed" | "protocol";

/** A QMP call failed. */
export class QmpError extends Error {
  override readonly name: string = "QmpError";
  readonly code: QmpErrorCode;
  /** The command, or `greeting` before the first one. */
  readonly command: string;
  /** QEMU's error class (`GenericError`, `DeviceNotFound`, ...) when `code` is `command`, else empty. */
  readonly qmpClass: string;
  /** QEMU's own words when `code` is `command`, else the message. */
  readonly description: string;

  constructor(code: QmpErrorCode, command: string, description: string, qmpClass = "") {
    super(`QMP ${command}: ${description}`);
    this.code = code;
    this.command = command;
    this.description = description;
    this.qmpClass = qmpClass;
  }
}

/** Settings of {@link QmpClient}. */
export interface QmpClientOptions {
  /** How long a command may take, in milliseconds. Default 30 000. */
  timeoutMs?: number;
  /** Longest line accepted, in bytes. Default 16 MiB: QEMU's schema is about 250 kB. */
  maxLineBytes?: number;
}

interface Waiting {
  command: string;
  resolve(value: unknown): void;
  reject(error: QmpError): void;
  timer: NodeJS.Timeout;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A client of QEMU's monitor protocol (QEMU documentation, "QEMU Machine Protocol Specification") over any connected stream.
 *
 * Commands may be sent while others are under way; answers are matched by id.
 */
export class QmpClient {
  readonly #stream: Duplex;
  readonly #timeoutMs: number;
  readonly #maxLineBytes: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #greeting: Waiting | undefined;
  #pieces: Buffer[] = [];
  #pending = 0;
  #nextId = 1;
  #closed: QmpError | undefined;
  #tellClosed: () => void = () => undefined;

  /** Settles when the connection has ended, from whichever side; never rejects. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#tellClosed = resolve;
  });

  private constructor(stream: Duplex, options: QmpClientOptions) {
    this.#stream = stream;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#maxLineBytes = options.maxLineBytes ?? 16 * 1024 * 1024;
    stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    stream.on("error", (error) => this.#close("closed", error.message));
    stream.on("end", () => this.#close("closed", "QEMU closed the connection"));
    stream.on("close", () => this.#close("closed", "the connection is closed"));
  }

  /**
   * Waits for QEMU's greeting and leaves the negotiation mode.
   *
   * @throws QmpError
   */
  static async connect(stream: Duplex, options: QmpClientOptions = {}): Promise<QmpClient> {
    const client = new QmpClient(stream, options);
    await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => client.#close("timeout", "no greeting from QEMU"), client.#timeoutMs);
      client.#greeting = { command: "greeting", resolve, reject, timer };
    });
    await client.execute("qmp_capabilities");
    return client;
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param timeoutMs overrides the client's timeout for this command
   * @throws QmpError
   */
  execute<C extends keyof QmpCommands>(
    command: C,
    args?: QmpCommands[C]["arguments"],
    timeoutMs?: number,
  ): Promise<QmpCommands[C]["returns"]>;
  execute(command: string, args?: Record<string, unknown>, timeoutMs?: number): Promise<unknown>;
  execute(command: string, args: Record<string, unknown> = {}, timeoutMs = this.#timeoutMs): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(new QmpError("closed", command, this.#closed.description));
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new QmpError("timeout", command, `no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { command, resolve, reject, timer });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Calls `listener` for each event from now on; returns a function that ends that. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closes the connection; commands under way fail with code `closed`. */
  close(): void {
    this.#close("closed", "closed by us");
    this.#stream.destroy();
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      this.#pieces.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(this.#pieces).toString("utf8").trim();
      this.#pieces = [];
      this.#pending = 0;
      if (line !== "" && this.#closed === undefined) this.#message(line);
    }
    this.#pending += rest.length;
    if (this.#pending > this.#maxLineBytes) {
      this.#close("protocol", `a line is longer than ${this.#maxLineBytes} bytes`);
      this.#stream.destroy();
    } else if (rest.length > 0) this.#pieces.push(rest);
  }

  #message(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (!isRecord(message)) {
      this.#close("protocol", `not a QMP message: ${line.slice(0, 80)}`);
      this.#stream.destroy();
      return;
    }
    if ("QMP" in message) {
      const greeting = this.#greeting;
      this.#greeting = undefined;
      clearTimeout(greeting?.timer);
      greeting?.resolve(message["QMP"]);
      return;
    }
    if (typeof message["event"] === "string") {
      const event: QmpEvent = { event: message["event"], data: isRecord(message["data"]) ? message["data"] : {} };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const id = message["id"];
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(id as number);
    clearTimeout(waiting.timer);
    const error = message["error"];
    if (isRecord(error)) {
      waiting.reject(new QmpError("command", waiting.command, String(error["desc"]), String(error["class"])));
    } else waiting.resolve(message["return"]);
  }

  #close(code: QmpErrorCode, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new QmpError(code, "connection", reason);
    this.#tellClosed();
    const all = [...this.#waiting.values(), ...(this.#greeting === undefined ? [] : [this.#greeting])];
    this.#waiting.clear();
    this.#greeting = undefined;
    for (const { command, reject, timer } of all) {
      clearTimeout(timer);
      reject(new QmpError(code, command, reason));
    }
  }
}
