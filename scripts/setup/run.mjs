// @ts-check
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environment, root } from "../project.mjs";

const logFolder = join(root, ".cache/log");

/**
 * Runs a program whose output goes to a log, which is shown when it fails.
 * @param {string[]} command
 * @returns {Promise<void>}
 */
export async function run(command) {
  const [program = "", ...args] = command;
  const name = command
    .filter((word) => /^[a-z][\w.-]*$/.test(word))
    .slice(0, 4)
    .join("-");
  mkdirSync(logFolder, { recursive: true });
  const log = join(logFolder, `${name}.log`);
  const output = createWriteStream(log);
  const started = Date.now();
  console.error(`setup: ${command.join(" ")}`);
  const status = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env: environment, stdio: ["inherit", "pipe", "pipe"] });
    child.stdout.pipe(output, { end: false });
    child.stderr.pipe(output, { end: false });
    child.on("error", reject);
    child.on("close", (code, signal) => output.end(() => resolve(signal ?? code)));
  });
  if (status !== 0) {
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    // npm says what is wrong first, apt-get and tsc last.
    const shown = lines.length <= 30 ? lines : [...lines.slice(0, 12), "...", ...lines.slice(-16)];
    throw new Error(`${program} ended with ${status}:\n  ${shown.join("\n  ")}\n(all of it: ${log})`);
  }
  console.error(`setup: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
