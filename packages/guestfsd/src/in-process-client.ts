import { codecOf, encodeMessage, firstSerial } from "@guestfs/protocol";
import { procedures } from "@guestfs/schema";
import { closeSync } from "node:fs";
import { DescriptorChannel } from "./channel.ts";
import { Conversation } from "./conversation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { readBlocking, writeAll } from "./native/descriptor.ts";
import { POLLIN, PollSet } from "./native/poll.ts";
import { shutDownWriting, socketPair } from "./native/socket.ts";

/** What a client that looks at no answer calls. */
export type CallMade = readonly [name: string, args?: Record<string, unknown>];

/** The message of a call. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The message of a call, but for its serial. */
export function encodeCall([name, args = {}]: CallMade): Message {
  const row = procedures.find((one) => one.name === name);
  if (row?.proc === undefined) throw new Error(`there is no call ${name}`);
  const codec = codecOf(row);
  const header = {
    procedure: row.proc,
    direction: "call",
    serial: 0,
    progressHint: 0,
    optionalMask: codec.optionalMask(args),
    status: "ok",
  } as const;
  const bytes = encodeMessage(header, (writer) => codec.writeArguments(writer, args));
  return { bytes, view: new DataView(bytes.buffer) };
}

const serialAt = 20;

/** Gives a message its serial. */
export function setSerial(message: Message, serial: number): void {
  message.view.setUint32(serialAt, serial);
}

/**
 * Serves a client in this process. Its channel is of the kind that the client of a clone has, and it begins as that one does: what V8 has
 * learnt of another would be no good there.
 */
export function serveCalls(
  calls: readonly CallMade[],
  options: DaemonOptions,
  log: ((line: string) => void) | undefined,
): void {
  const encoded = new Map([...new Set(calls)].map((call) => [call, encodeCall(call)]));
  const messages = calls.map((call) => encoded.get(call) as Message);
  const [client, server] = socketPair();
  const answers = new PollSet(1);
  answers.add(client, POLLIN);
  const waste = new Uint8Array(64 * 1024);
  let next = 0;
  const callNext = (): void => {
    while (answers.wait(0) > 0) readBlocking(client, waste);
    const message = messages[next];
    if (message === undefined) shutDownWriting(client);
    else {
      setSerial(message, firstSerial + next++);
      writeAll(client, message.bytes);
    }
  };
  try {
    new Conversation(new DescriptorChannel(server, false, callNext), options, log).serve();
  } finally {
    closeSync(client);
    closeSync(server);
  }
}
