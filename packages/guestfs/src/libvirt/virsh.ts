import { execFile } from "node:child_process";

/** How long libvirt may take to answer, in milliseconds. */
const patience = 15_000;
const outputMax = 16 * 1024 * 1024;

/** Why libvirt did not do what it was asked. */
export type VirshFailure = "not installed" | "not running" | "no such domain" | "no answer" | "refused";

/** libvirt did not do what it was asked; `message` is what there is to say about it. */
export class VirshError extends Error {
  readonly failure: VirshFailure;
  /** What to do about it; empty when nothing is known. */
  readonly fix: string;

  constructor(failure: VirshFailure, message: string, fix: string, cause: unknown) {
    super(message, { cause });
    this.failure = failure;
    this.fix = fix;
  }
}

/** A connection of virsh(1): its `-c`, nothing for libvirt's own default. */
export interface LibvirtConnection {
  readonly uri?: string | undefined;
}

function hypervisor({ uri }: LibvirtConnection): string {
  return uri === undefined ? "libvirt" : `libvirt (${uri})`;
}

function explain(
  connection: LibvirtConnection,
  error: Error & { code?: unknown; killed?: boolean },
  said: string,
): VirshError {
  if (error.code === "ENOENT")
    return new VirshError(
      "not installed",
      "the program virsh, which talks to libvirt, is not installed",
      "apt install libvirt-clients",
      error,
    );
  const where = hypervisor(connection);
  const message = said
    .split("\n")
    .map((line) => line.replace(/^error: /, "").trim())
    .filter((line) => line !== "")
    .join("; ");
  if (error.killed === true && error.code !== "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return new VirshError(
      "no answer",
      `${where} did not answer within ${patience / 1000} s`,
      "look at libvirt's log: journalctl -u libvirtd",
      error,
    );
  if (/failed to connect to the hypervisor|failed to connect socket|cannot recv data|disconnected from/i.test(said))
    return new VirshError(
      "not running",
      `${where} can't be reached: ${message}`,
      connection.uri === undefined
        ? "start it (systemctl start libvirtd), or say which one is meant: libvirturi (-c), such as qemu:///system"
        : "start it (systemctl start libvirtd), or give another connection than this",
      error,
    );
  if (/failed to get domain|domain not found|no domain with matching/i.test(said))
    return new VirshError("no such domain", message, "", error);
  return new VirshError("refused", `${where}: ${message === "" ? error.message : message}`, "", error);
}

/**
 * Asks libvirt through virsh(1), without a shell.
 * @param args - the command and its arguments; a value that a user gives goes behind its option (`--domain NAME`)
 * @returns what it printed
 * @throws VirshError
 */
export function virsh(connection: LibvirtConnection, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { uri } = connection;
  const options = {
    encoding: "utf8",
    timeout: patience,
    killSignal: "SIGKILL",
    maxBuffer: outputMax,
    env: { ...process.env, LC_ALL: "C" },
    ...(signal ? { signal } : {}),
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(
      "virsh",
      [...(uri === undefined ? [] : ["-c", uri]), ...args],
      options,
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (signal?.aborted === true) reject(error);
        else reject(explain(connection, error, stderr));
      },
    );
    // It may ask for a password, and there is nobody to answer.
    child.stdin?.end();
  });
}
