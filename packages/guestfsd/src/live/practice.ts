import { encodeFlag, firstSerial, launchFlag } from "@guestfs/protocol";
import { constants, openSync } from "node:fs";
import { compileEagerly } from "../compilation.ts";
import { Conversation } from "../conversation.ts";
import type { DaemonOptions } from "../daemon-state.ts";
import { encodeCall, setSerial } from "../in-process-client.ts";
import type { CallMade, Message } from "../in-process-client.ts";
import { closeDescriptor, readNow, writeAll } from "../native/descriptor.ts";
import { packetPair } from "../native/socket.ts";
import { DaemonLog } from "./daemon-log.ts";
import { Port } from "./port.ts";
import { Service } from "./service.ts";

// As a conversation of our library begins, with a question out of the order of serials. V8 optimizes for what it has seen: a serial that
// is no small integer, kinds of calls and replies.
const opening: readonly CallMade[] = [
  ["ping_daemon"],
  ["internal_feature_available", { group: "guestfs-extensions" }],
  ["extension_set_chunk_size", { size: 256 * 1024 }],
];
const recoverySerial = 0xfedc_ba98;
/** What goes through all that small calls have in common. Nothing of the machine is opened for reading: no time of access changes. */
const frequent: readonly CallMade[] = [
  ["ping_daemon"],
  ["exists", { path: "/" }],
  ["ping_daemon"],
  ["is_dir", { path: "/", followsymlinks: false }],
  ["lstatns", { path: "/" }],
  ["ping_daemon"],
];
/** Calls in one conversation, and the replies to them, have to have room in a socket. */
const repeats = 8;
const conversationsInRound = 12;

function messages(): Message[] {
  const calls = [...opening, ...Array.from({ length: repeats }, () => frequent).flat()];
  return calls.map((call, at) => {
    const message = encodeCall(call);
    setSerial(message, at === 0 ? recoverySerial : firstSerial + at - 1);
    return message;
  });
}

/**
 * Has small calls compiled and optimized before the first client makes any, by being its own client on a port of its own: otherwise a
 * client needs some thousand calls until they are as quick as they get. Takes some 0.4 s, some 10 s where the processor is emulated.
 * @param optionsWith - the daemon's options, made as for clients: what V8 learns of an object made otherwise is no good for these
 * @param isWanted - whether a client has come: ends it
 */
export function practise(
  service: Service,
  optionsWith: (service: Service) => DaemonOptions,
  isWanted: () => boolean,
): void {
  const nowhere = openSync("/dev/null", constants.O_WRONLY);
  const options = optionsWith(new Service(new DaemonLog(nowhere), service.policy, service.runFolder));
  const [client, server] = packetPair();
  const port = new Port(server);
  const sent = messages();
  // Where a call should stand: it ends a conversation, and not the connection.
  const end = encodeFlag(launchFlag);
  const replies = new Uint8Array(4096);
  const converse = (): void => {
    for (const { bytes } of sent) writeAll(client, bytes);
    writeAll(client, end);
    new Conversation(port, options).serve();
    while (readNow(client, replies) !== undefined);
  };
  try {
    compileEagerly(() => {
      for (let count = 0; count < conversationsInRound && !isWanted(); count++) converse();
    }, isWanted);
  } finally {
    port.close();
    closeDescriptor(client);
    closeDescriptor(nowhere);
  }
}
