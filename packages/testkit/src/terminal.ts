import { spawn } from "node:child_process";
import { constants } from "node:os";

/** A program that runs in a terminal of its own, and someone who types. */
export interface Terminal extends AsyncDisposable {
  /** All that was shown so far. */
  readonly shown: string;
  /** Types letters; `\r` is Enter, `\x03` is Ctrl-C. */
  type(keys: string): void;
  /**
   * Waits until the pattern is shown after what earlier waits have seen, and takes that as seen.
   * @returns what was shown up to the end of the match
   * @throws Error with what was shown, when the program ends or half a minute goes by before
   */
  until(pattern: string | RegExp): Promise<string>;
  /** Settles with the program's exit status. */
  readonly exited: Promise<number>;
}

/**
 * Runs a program in a terminal of 80 columns (script(1)).
 * @param command - a line for bash
 * @param environment - added to this process's
 */
export function startTerminal(command: string, environment: Readonly<Record<string, string>> = {}): Terminal {
  const child = spawn("script", ["-qec", `stty cols 80 rows 24; ${command}`, "/dev/null"], {
    // Without $SHELL it would be dash, which dies of a Ctrl-C even when the program has survived it.
    env: { ...process.env, SHELL: "/bin/bash", TERM: "xterm", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let seen = 0;
  let ended = false;
  let changed = (): void => undefined;
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    changed();
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      ended = true;
      changed();
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  const find = (pattern: string | RegExp): number => {
    const rest = shown.slice(seen);
    if (typeof pattern === "string") return rest.includes(pattern) ? rest.indexOf(pattern) + pattern.length : -1;
    const match = pattern.exec(rest);
    return match === null ? -1 : match.index + match[0].length;
  };
  return {
    get shown() {
      return shown;
    },
    exited,
    type: (keys) => void child.stdin.write(keys),
    async until(pattern) {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const end = find(pattern);
        if (end !== -1) {
          const text = shown.slice(seen, seen + end);
          seen += end;
          return text;
        }
        if (ended || Date.now() > deadline)
          throw new Error(`${String(pattern)} was not shown, but ${JSON.stringify(shown.slice(seen))}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1000);
          changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
