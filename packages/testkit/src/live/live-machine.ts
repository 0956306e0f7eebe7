import { link, readFile, writeFile, chown, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { domainXml } from "./domain-xml.ts";
import { GuestAgent } from "./guest-agent.ts";
import type { GuestOutcome } from "./guest-agent.ts";
import { agentPort } from "./guest-files.ts";
import type { GuestDaemon } from "./guest-files.ts";
import { buildGuestImage } from "./guest-image.ts";
import type { GuestImage } from "./guest-image.ts";
import { startLibvirt } from "./libvirt.ts";
import type { Libvirt } from "./libvirt.ts";
import { runProgram } from "./run-program.ts";

/** What machine is wanted. */
export interface LiveMachineOptions {
  /** Whose daemon it carries. */
  daemon: GuestDaemon;
  /** Its name. Default `guest`. */
  name?: string;
  /** The libvirt to run it; default one of its own, which stops with it. */
  libvirt?: Libvirt;
  /** Names of its ports for clients, besides the test agent's. Default `org.libguestfs.channel.0`. */
  channels?: readonly string[];
  /** `false`: the machine is defined and stays off until {@link LiveMachine.start}. */
  start?: boolean;
  /** How long booting may take, in ms. Default 240,000: the processor is emulated. */
  timeout?: number;
}

/** A machine under libvirt. */
export interface LiveMachine extends AsyncDisposable {
  readonly name: string;
  readonly libvirt: Libvirt;
  /** The libvirt's URI. */
  readonly uri: string;
  /** Its disk, qcow2. */
  readonly disk: string;
  /** How long it took to boot, in ms: from `virsh start` until the agent answered and every channel was held. */
  readonly bootMs: number;
  /** Path of the host's socket of a port; default the first channel. */
  channelPath(port?: string): Promise<string>;
  /** Whether a program in the machine holds the port, as libvirt says; `undefined` when there is no such port. */
  channelState(port?: string): Promise<string | undefined>;
  /** Waits for a state of a port. */
  waitForChannel(state: "connected" | "disconnected", port?: string): Promise<void>;
  /** A conversation with the machine's qemu-guest-agent; there can be one at a time. */
  readonly agent: GuestAgent;
  /** Runs a shell script inside the machine, by itself, and gives its output. Throws when its status is not 0. */
  run(script: string): Promise<string>;
  /** Runs a shell script inside the machine, whatever comes of it. */
  tryRun(script: string): Promise<GuestOutcome>;
  /** What it wrote on its console so far. */
  console(): Promise<string>;
  /** Boots it, when it is off, and waits until it is ready. */
  start(): Promise<void>;
  /** Switches it off without asking it. */
  destroy(): Promise<void>;
  /** Removes it, with its libvirt when that is its own. */
  stop(): Promise<void>;
}

const defaultPort = "org.libguestfs.channel.0";

/** The image at a place where the machine's QEMU may read it. */
async function lend(image: GuestImage, folder: string, name: string): Promise<GuestImage> {
  const place = async (path: string, kind: string): Promise<string> => {
    const target = join(folder, `${name}.${kind}`);
    await link(path, target).catch(() => runProgram("cp", "--sparse=always", "--reflink=auto", path, target));
    return target;
  };
  return {
    disk: await place(image.disk, "base"),
    kernel: await place(image.kernel, "kernel"),
    initrd: await place(image.initrd, "initrd"),
  };
}

/** The `<target>` of a channel in a domain's XML, and the `<source>` beside it. */
function channelIn(xml: string, port: string): { path: string | undefined; state: string | undefined } | undefined {
  const channel = [...xml.matchAll(/<channel .*?<\/channel>/gs)].find(([text]) => text.includes(`name='${port}'`))?.[0];
  if (channel === undefined) return undefined;
  return { path: /path='([^']*)'/.exec(channel)?.[1], state: /state='([^']*)'/.exec(channel)?.[1] };
}

/**
 * Starts a Debian machine under a real libvirt, emulated, whose own disk is thrown away in the end. The image is built the
 * first time.
 * @throws Error with the end of the console when it does not come up in time
 */
export async function startLiveMachine(options: LiveMachineOptions): Promise<LiveMachine> {
  const { name = "guest", channels = [defaultPort], timeout = 240_000 } = options;
  const built = await buildGuestImage(options.daemon);
  const libvirt = options.libvirt ?? (await startLibvirt());
  try {
    const machine = await define(libvirt, built, { name, channels, timeout }, options.libvirt === undefined);
    if (options.start !== false) await machine.start();
    return machine;
  } catch (error) {
    if (options.libvirt === undefined) await libvirt.stop();
    throw error;
  }
}

async function define(
  libvirt: Libvirt,
  built: GuestImage,
  { name, channels, timeout }: { name: string; channels: readonly string[]; timeout: number },
  ownsLibvirt: boolean,
): Promise<LiveMachine> {
  const { folder, uri, virsh } = libvirt;
  const image = await lend(built, folder, name);
  // libvirt makes the console's file anew at each start.
  const consoleFile = join(folder, "m", `${name}.console`);
  const disk = join(folder, "m", `${name}.qcow2`);
  await runProgram("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.disk, disk);
  const { uid, gid } = await stat(join(folder, "m"));
  await chown(disk, uid, gid);
  const description = {
    name,
    ...image,
    disk,
    channels: [...channels, agentPort],
    console: consoleFile,
    memoryMiB: 768,
  };
  const xmlFile = join(folder, `${name}.xml`);
  await writeFile(xmlFile, domainXml(description));
  await virsh("define", xmlFile);

  let agent: GuestAgent | undefined;
  let bootMs = 0;
  const console = (): Promise<string> => readFile(consoleFile, "utf8").catch(() => "");
  const channel = async (port: string) => channelIn(await virsh("dumpxml", name), port);
  const waitForChannel = async (state: string, port: string, signal: AbortSignal): Promise<void> => {
    while ((await channel(port))?.state !== state) await delay(100, undefined, { signal });
  };
  const getAgent = (): GuestAgent => {
    if (agent === undefined) throw new Error(`${name} is off`);
    return agent;
  };
  const destroy = async (): Promise<void> => {
    agent?.[Symbol.dispose]();
    agent = undefined;
    await libvirt.tryVirsh("destroy", name);
  };
  const tryRun = (script: string): Promise<GuestOutcome> => getAgent().run(script);
  const stop = async (): Promise<void> => {
    await destroy();
    if (ownsLibvirt) await libvirt.stop();
    else await libvirt.tryVirsh("undefine", name);
  };
  return {
    name,
    libvirt,
    uri,
    disk,
    get bootMs() {
      return bootMs;
    },
    get agent() {
      return getAgent();
    },
    async channelPath(port = channels[0] ?? defaultPort) {
      const path = (await channel(port))?.path;
      if (path === undefined) throw new Error(`${name} has no socket for ${port}`);
      return path;
    },
    channelState: async (port = channels[0] ?? defaultPort) => (await channel(port))?.state,
    waitForChannel: (state, port = channels[0] ?? defaultPort) =>
      waitForChannel(state, port, AbortSignal.timeout(60_000)),
    tryRun,
    async run(script) {
      const { status, stdout, stderr } = await tryRun(script);
      if (status !== 0) throw new Error(`in ${name}: ${script}: status ${status}: ${stderr}`);
      return stdout;
    },
    console,
    async start() {
      const started = Date.now();
      const signal = AbortSignal.timeout(timeout);
      await virsh("start", name);
      try {
        const path = (await channel(agentPort))?.path;
        agent = await GuestAgent.connect(path ?? "", signal);
        for (const port of channels) await waitForChannel("connected", port, signal);
        bootMs = Date.now() - started;
      } catch (error) {
        const said = (await console()).trimEnd().split("\n").slice(-40).join("\n");
        await destroy();
        throw new Error(`${name} did not come up in ${timeout / 1000} s; its console:\n${said}`, { cause: error });
      }
    },
    destroy,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
