import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** How a program ended that ran inside the machine. */
export interface GuestOutcome {
  status: number;
  stdout: string;
  stderr: string;
}

interface ExecStatus {
  exited: boolean;
  exitcode?: number;
  signal?: number;
  "out-data"?: string;
  "err-data"?: string;
}

/** How long the agent may take for one answer; it knows of no slow command. */
const patienceMs = 120_000;

const decoded = (data: string | undefined): string => Buffer.from(data ?? "", "base64").toString("utf8");

/** A conversation with qemu-ga(8) in the machine, over its unix socket on the host. Commands go one after another. */
export class GuestAgent implements Disposable {
  readonly #socket: Socket;
  #received = "";
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects and waits until the agent answers; what it still had to say to an earlier client is dropped. */
  static async connect(path: string, signal: AbortSignal): Promise<GuestAgent> {
    for (;;) {
      signal.throwIfAborted();
      const socket = connect(path);
      await once(socket, "connect", { signal });
      const agent = new GuestAgent(socket);
      const id = randomInt(2 ** 31);
      // 0xff makes the agent forget what it had of a message, and begins its answer to this one.
      socket.write(
        Buffer.concat([
          Buffer.from([0xff]),
          Buffer.from(`${JSON.stringify({ execute: "guest-sync", arguments: { id } })}\n`),
        ]),
      );
      for (let waited = 0; waited < 2000; waited += 20) {
        if (agent.#received.includes(`"return": ${id}`)) {
          agent.#received = "";
          return agent;
        }
        await delay(20, undefined, { signal });
      }
      agent[Symbol.dispose]();
    }
  }

  /** Sends one command (QEMU documentation, "QEMU Guest Agent Protocol Reference") and gives what it returns. */
  async command(execute: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const patience = setTimeout(() => this.#socket.destroy(), patienceMs);
    try {
      return await this.#command(execute, args);
    } finally {
      clearTimeout(patience);
    }
  }

  async #command(execute: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    while (!this.#received.includes("\n")) {
      if (this.#closed) throw new Error(`the guest agent left, or did not answer, during ${execute}`);
      await new Promise<void>((settle) => (this.#wake = settle));
    }
    const end = this.#received.indexOf("\n");
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 1);
    const answer = JSON.parse(line) as { return?: unknown; error?: { desc: string } };
    if (answer.error !== undefined) throw new Error(`${execute}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Runs a shell script in the machine to its end. */
  async run(script: string): Promise<GuestOutcome> {
    const { pid } = (await this.command("guest-exec", {
      path: "/bin/sh",
      arg: ["-c", script],
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"],
      "capture-output": true,
    })) as { pid: number };
    for (;;) {
      const status = (await this.command("guest-exec-status", { pid })) as ExecStatus;
      if (status.exited) {
        const { exitcode, signal = 0 } = status;
        return {
          status: exitcode ?? 128 + signal,
          stdout: decoded(status["out-data"]),
          stderr: decoded(status["err-data"]),
        };
      }
      await delay(20);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
