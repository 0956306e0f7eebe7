import type { ChildProcess } from "node:child_process";

const restartAfter = 1000;

/**
 * Serves several channels at the same time: each by a process of its own, which is started again when it ends. One
 * client's long call or sudden end is nothing to the others; the kernel shares the processor among them.
 * @param argumentsFor - arguments of the daemon that serves one channel
 */
export function supervise(channels: readonly string[], argumentsFor: (channel: string) => readonly string[]): void {
  // Loaded here, since a daemon with one channel, which is most of them, starts sooner without.
  const { spawn } = process.getBuiltinModule("node:child_process");
  const workers = new Map<string, ChildProcess>();
  let ending = false;
  const start = (channel: string): void => {
    const program = [...process.execArgv, process.argv[1] ?? "", ...argumentsFor(channel)];
    const worker = spawn(process.execPath, program, { stdio: ["ignore", "inherit", "inherit"] });
    workers.set(channel, worker);
    const again = (why: string): void => {
      workers.delete(channel);
      if (ending) return;
      process.stderr.write(`guestfsd: ${channel}: the process that served it ${why}; it is started again\n`);
      setTimeout(() => start(channel), restartAfter);
    };
    worker.once("error", (error) => again(error.message));
    worker.once("exit", (status, signal) => again(`ended with ${signal ?? `status ${status}`}`));
  };
  const end = (signal: NodeJS.Signals): void => {
    ending = true;
    for (const worker of workers.values()) worker.kill(signal);
    process.exit(0);
  };
  process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", end);
  for (const channel of new Set(channels)) start(channel);
}
