#!/usr/bin/env node
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { DescriptorChannel } from "./channel.ts";
import { waitToBeCloned } from "./clone.ts";
import { Conversation } from "./conversation.ts";
import type { DaemonOptions } from "./daemon-state.ts";
import { acceptUnix, listenUnix } from "./native/socket.ts";
import { parseOptions } from "./options.ts";
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

function openChannel(channel: string): number {
  const inherited = /^fd:(\d+)$/.exec(channel);
  return inherited ? Number(inherited[1]) : openSync(channel, constants.O_RDWR | constants.O_NOCTTY);
}

function serveListener(commandLine: CommandLine, serve: (fd: number) => boolean): void {
  const listener = listenUnix(commandLine.channel);
  for (let ended = false; !ended;) {
    const client = acceptUnix(listener);
    try {
      ended = serve(client);
    } finally {
      closeSync(client);
    }
  }
}

function main(): void {
  const parsed = parseOptions(process.argv.slice(2));
  if ("output" in parsed) {
    process.stderr.write(parsed.output);
    process.exit(parsed.exitStatus);
  }
  const { commandLine } = parsed;
  const words = applianceWords();
  const appliance = words.length > 0 && !commandLine.live;
  const options: DaemonOptions = {
    sysroot: commandLine.sysroot ?? (commandLine.live ? "/" : "/sysroot"),
    live: commandLine.live,
    network: commandLine.network,
    verbose: commandLine.verbose,
    appliance,
  };
  process.chdir("/");
  process.umask(0o022);
  const log = commandLine.verbose
    ? (line: string): void => void process.stderr.write(`guestfsd: ${line}\n`)
    : undefined;
  const serve = (fd: number): boolean => {
    const channel = new DescriptorChannel(fd);
    const conversation = new Conversation(channel, options, log);
    if (appliance && words.includes("guestfs.template=1")) waitToBeCloned(channel, log);
    return conversation.serve();
  };
  try {
    if (commandLine.listen) serveListener(commandLine, serve);
    else if (!serve(openChannel(commandLine.channel))) process.exitCode = 1;
  } catch (error) {
    fail(`${commandLine.channel}: ${(error as Error).message}`);
  }
}

main();
