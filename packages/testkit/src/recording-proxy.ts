import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** Bytes that went one way without a word from the other side in between. */
export interface Passage {
  readonly from: "client" | "daemon";
  readonly bytes: Uint8Array;
}

/** A proxy that notes what passes. */
export interface RecordingProxy extends AsyncDisposable {
  /** Socket for the one client. */
  readonly socketPath: string;
  /** What passed so far. */
  passages(): Passage[];
  /**
   * Called before bytes of the client go on to the daemon, at most 4096 at a time, which wait until it settles: to
   * slow a client down or to do something in the middle of a call.
   */
  beforeClientBytes: ((bytes: Uint8Array) => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/**
 * Listens on a socket and hands its client's bytes to a daemon, and back.
 * @param daemonPath - the daemon's socket, connected to when the client comes
 */
export async function startRecordingProxy(daemonPath: string): Promise<RecordingProxy> {
  const folder = makeTemporaryFolder("recording-proxy-");
  const socketPath = join(folder.path, "proxy.sock");
  const log: { from: "client" | "daemon"; parts: Uint8Array[] }[] = [];
  const open = new Set<Socket>();

  function note(from: "client" | "daemon", bytes: Uint8Array): void {
    const last = log.at(-1);
    if (last?.from === from) last.parts.push(bytes);
    else log.push({ from, parts: [bytes] });
  }

  async function passOn(from: "client" | "daemon", source: Socket, sink: Socket): Promise<void> {
    try {
      for await (const bytes of source as AsyncIterable<Buffer>) {
        for (let at = 0; at < bytes.length; at += 4096) {
          const part = bytes.subarray(at, at + 4096);
          if (from === "client") await proxy.beforeClientBytes?.(part);
          note(from, part);
          if (!sink.write(part)) await new Promise((settle) => sink.once("drain", settle).once("close", settle));
        }
      }
    } catch {
      // A side that breaks off ends the conversation like one that ends it.
    }
    sink.end();
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const daemon = connect({ path: daemonPath, allowHalfOpen: true });
    for (const socket of [client, daemon]) {
      open.add(socket);
      socket.on("error", () => undefined).once("close", () => open.delete(socket));
    }
    void passOn("client", client, daemon);
    void passOn("daemon", daemon, client);
  });
  await new Promise<void>((settle, fail) => {
    server.once("error", fail).listen(socketPath, settle);
  });

  const stop = async (): Promise<void> => {
    const closed = new Promise((settle) => server.close(settle));
    for (const socket of open) socket.destroy();
    await closed;
    folder.remove();
  };
  const proxy: RecordingProxy = {
    socketPath,
    passages: () => log.map(({ from, parts }) => ({ from, bytes: Buffer.concat(parts) })),
    beforeClientBytes: undefined,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return proxy;
}
