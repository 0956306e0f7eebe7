import { closeSync, constants, openSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { DescriptorChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { waitToBeCloned } from "./clone.ts";
import { Conversation } from "./conversation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { usualUmask } from "./handlers/daemon.ts";
import { DaemonLog } from "./live/daemon-log.ts";
import { PolicySource } from "./live/policy-source.ts";
import { Port } from "./live/port.ts";
import { practise } from "./live/practice.ts";
import { Service } from "./live/service.ts";
import { supervise } from "./live/supervisor.ts";
import { watchOverFreeze } from "./live/thaw-watcher.ts";
import { watcherArgument } from "./live/watcher.ts";
import { scheduleAsBatch } from "./native/machine-state.ts";
import { peerOf } from "./native/peer.ts";
import { acceptUnix, listenUnix } from "./native/socket.ts";
import { argumentsFor, parseOptions } from "./options.ts";
import type { CommandLine } from "./options.ts";

function fail(message: string): never {
  process.stderr.write(`guestfsd: error: ${message}\n`);
  process.exit(1);
}

/** Our own appliance says so on the kernel's command line; nowhere else may `/dev/sda` be read as another name. */
function applianceWords(): string[] {
  return readFileSync("/proc/cmdline", "utf8")
    .split(/\s+/)
    .filter((word) => word.startsWith("guestfs."));
}

function openChannel(channel: string, flags = 0): number {
  const inherited = /^fd:(\d+)$/.exec(channel);
  return inherited ? Number(inherited[1]) : openSync(channel, constants.O_RDWR | constants.O_NOCTTY | flags);
}

function sysrootOf({ sysroot, live }: CommandLine): string {
  if (sysroot === undefined) return live ? "/" : "/sysroot";
  let path: string;
  try {
    path = realpathSync(sysroot);
  } catch (error) {
    fail(`--sysroot ${sysroot}: ${(error as Error).message}`);
  }
  // A client that closes has all unmounted that is mounted below.
  if (path === "/" && !live)
    fail("--sysroot /: this machine's own / is served with -r only, which leaves its mounts alone");
  return path;
}

type Serve = (channel: Channel, who: string) => boolean;

function serveListener(channel: string, serve: Serve): void {
  const listener = listenUnix(channel);
  for (let ended = false; !ended;) {
    const client = acceptUnix(listener);
    try {
      const peer = peerOf(client);
      ended = serve(new DescriptorChannel(client, false), peer ? `pid ${peer.pid}, uid ${peer.uid}` : channel);
    } finally {
      closeSync(client);
    }
  }
}

/**
 * @param prepare - what a port's daemon does before it has had a client
 * @returns whether the client asked for the end
 */
function serveOpen(channel: string, live: boolean, serve: Serve, prepare: (port: Port) => void): boolean {
  const who = basename(channel);
  const isCharacterDevice = statSync(channel, { throwIfNoEntry: false })?.isCharacterDevice() ?? false;
  const isPort = live && isCharacterDevice;
  const fd = openChannel(channel, isPort ? constants.O_NONBLOCK : 0);
  if (!isPort) return serve(new DescriptorChannel(fd, isCharacterDevice), who);
  const port = new Port(fd);
  prepare(port);
  do port.awaitClient();
  while (!serve(port, who));
  return true;
}

function serviceFor({ live, policy, runFolder }: CommandLine): Service | undefined {
  if (!live && policy === undefined) return undefined;
  const log = new DaemonLog();
  const source = new PolicySource(policy, log);
  return new Service(log, () => source.read(), runFolder);
}

function serveChannel(commandLine: CommandLine): void {
  const { live, network, verbose, listen } = commandLine;
  const [channel] = commandLine.channels;
  const words = applianceWords();
  const appliance = words.length > 0 && !live;
  try {
    if (appliance) scheduleAsBatch();
    const service = serviceFor(commandLine);
    const sysroot = sysrootOf(commandLine);
    const optionsWith = (service: Service | undefined): DaemonOptions => ({
      sysroot,
      live,
      network,
      verbose,
      appliance,
      ...(service && { service }),
    });
    const options = optionsWith(service);
    const prepare = (port: Port): void => {
      try {
        if (service) practise(service, optionsWith, () => port.connected);
      } catch (error) {
        // Its calls are slower at first, and that is all.
        service?.log.line(`guestfsd: practice: ${(error as Error).message}`);
      }
    };
    process.chdir("/");
    process.umask(usualUmask);
    const write = service
      ? (line: string) => service.log.line(line)
      : (line: string) => process.stderr.write(`${line}\n`);
    const log = verbose
      ? (line: string): void => {
          write(`guestfsd: ${line}`);
        }
      : undefined;
    const serve: Serve = (stream, who) => {
      // Made first: clones find it there.
      const conversation = new Conversation(stream, options, log, who);
      if (appliance && words.includes("guestfs.template=1")) waitToBeCloned(stream, options, log);
      return conversation.serve();
    };
    if (listen) serveListener(channel, serve);
    else if (!serveOpen(channel, live, serve, prepare)) process.exitCode = 1;
  } catch (error) {
    fail(`${channel}: ${(error as Error).message}`);
  }
}

function main(): void {
  if (process.argv[2] === watcherArgument) {
    watchOverFreeze();
    return;
  }
  const parsed = parseOptions(process.argv.slice(2));
  if ("output" in parsed) {
    process.stderr.write(parsed.output);
    process.exit(parsed.exitStatus);
  }
  const { commandLine } = parsed;
  if (commandLine.channels.length > 1)
    supervise(commandLine.channels, (channel) => argumentsFor({ ...commandLine, channels: [channel] }));
  else serveChannel(commandLine);
}

main();
