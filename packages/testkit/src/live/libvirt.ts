import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runProgram, tryProgram } from "./run-program.ts";
import type { ProgramOutcome } from "./run-program.ts";

/** A libvirt of our own. */
export interface Libvirt extends AsyncDisposable {
  /** What `virsh -c` and libvirt's clients take. */
  readonly uri: string;
  /** Folder of everything it has; readable by the machines' QEMU. */
  readonly folder: string;
  /** Runs virsh(1) on it. Throws with virsh's words when it fails. */
  virsh(...args: readonly string[]): Promise<string>;
  /** Runs virsh(1) on it, whatever comes of it. */
  tryVirsh(...args: readonly string[]): Promise<ProgramOutcome>;
  /** What libvirtd and virtlogd wrote. */
  log(): Promise<string>;
  /** Ends it and every machine it runs, and removes the folder. Does nothing a second time. */
  stop(): Promise<void>;
}

/**
 * Runs libvirtd and virtlogd as an ordinary user ("session" mode: nothing of the system's own libvirt is touched), in a
 * process namespace: with its first process all the others end too, QEMU included. Arguments: the folder.
 */
const script = `set -eu
mount --make-rprivate /proc
mount -t proc proc /proc
folder=$1
export HOME="$folder" XDG_CONFIG_HOME="$folder/c" XDG_CACHE_HOME="$folder/k" XDG_RUNTIME_DIR="$folder/r"
export XDG_DATA_HOME="$folder/d" XDG_STATE_HOME="$folder/s" LC_ALL=C.UTF-8
unset LIBVIRT_DEFAULT_URI
cd "$folder"
mkdir -p c d k m r s
chown nobody: c d k m r s
user() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@" </dev/null >>log 2>&1; }
user /usr/sbin/virtlogd &
user /usr/sbin/libvirtd &
wait
`;

// Short, for the sake of the sockets in it.
const prefix = "gflive-";

const needed: readonly [program: string, packageName: string][] = [
  ["/usr/sbin/libvirtd", "libvirt-daemon"],
  ["/usr/sbin/virtlogd", "libvirt-daemon"],
  ["/usr/bin/virsh", "libvirt-clients"],
  ["/usr/bin/mmdebstrap", "mmdebstrap"],
  ["/usr/bin/qemu-system-x86_64", "qemu-system-x86"],
  ["/usr/bin/setpriv", "util-linux"],
];

/** Why no live machine can be run here, in words for a skipped test; `undefined` when one can. */
export function whyNoLiveMachine(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "live machines run on x86-64 Linux only";
  if (process.geteuid?.() !== 0) return "a live machine needs root, for a Debian root folder and a process namespace";
  const missing = needed.find(([program]) => !existsSync(program));
  return missing && `no ${missing[0]} (Debian package ${missing[1]})`;
}

/**
 * Starts libvirtd and virtlogd on sockets and folders of their own. They end when {@link Libvirt.stop} is called or
 * this process ends, in whatever way.
 * @throws Error with {@link whyNoLiveMachine}'s reason, or with what libvirtd wrote
 */
export async function startLibvirt(): Promise<Libvirt> {
  const reason = whyNoLiveMachine();
  if (reason !== undefined) throw new Error(reason);
  // Sockets' paths may have 107 bytes, and libvirt's own part takes 82 of them.
  const parent = tmpdir().length > 8 ? "/tmp" : tmpdir();
  await removeOrphans(parent);
  const folder = await mkdtemp(join(parent, prefix));
  await writeFile(join(folder, "owner"), String(process.pid));
  await chmod(folder, 0o711);
  await mkdir(join(folder, "r"), { mode: 0o700 });
  const namespaces = ["--mount", "--propagation=unchanged", "--pid", "--fork", "--kill-child"];
  const words = ["--pdeathsig=KILL", "unshare", ...namespaces, "--", "sh", "-c", script, "sh", folder];
  const child = spawn("/usr/bin/setpriv", words, { stdio: ["ignore", "ignore", "pipe"] });
  let trouble = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (trouble += text));
  let ended = false;
  const exited = new Promise<void>((settle) =>
    child.once("close", () => {
      ended = true;
      settle();
    }),
  );
  const log = async (): Promise<string> => trouble + (await readFile(join(folder, "log"), "utf8").catch(() => ""));
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      child.kill("SIGKILL");
      await exited;
      await removeWhenFree(folder);
    })();
    return stopping;
  };
  const socket = join(folder, "r/libvirt/libvirt-sock");
  const uri = `qemu+unix:///session?socket=${socket}`;
  const tryVirsh = (...args: readonly string[]): Promise<ProgramOutcome> =>
    tryProgram("virsh", ["-q", "-c", uri, ...args]);
  const ready = async (): Promise<boolean> => existsSync(socket) && (await tryVirsh("list")).status === 0;
  for (const start = Date.now(); !(await ready());) {
    if (ended || Date.now() - start > 60_000) {
      const said = (await log()).trim();
      await stop();
      throw new Error(`libvirtd ${ended ? "ended" : "did not answer"}: ${said || "no message"}`);
    }
    await delay(50);
  }
  return {
    uri,
    folder,
    tryVirsh,
    virsh: (...args) => runProgram("virsh", "-q", "-c", uri, ...args),
    log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Removes what a killed test left: its processes ended with it, its folder could not. */
async function removeOrphans(parent: string): Promise<void> {
  for (const name of (await readdir(parent)).filter((entry) => entry.startsWith(prefix))) {
    const owner = await readFile(join(parent, name, "owner"), "utf8").catch(() => "");
    if (owner !== "" && !existsSync(`/proc/${owner}`)) await removeWhenFree(join(parent, name));
  }
}

/** The namespace's processes end a moment after its first one, and may still write. */
async function removeWhenFree(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
