import { spawn } from "node:child_process";

/** How a program ran. */
export interface ProgramOutcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and gives what it wrote, whatever its status. */
export function tryProgram(program: string, args: readonly string[]): Promise<ProgramOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", (error) => reject(new Error(`${program}: ${error.message}`, { cause: error })));
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/**
 * Runs a program to its end and gives its output.
 * @throws Error with the end of what it wrote, when its status is not 0
 */
export async function runProgram(program: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryProgram(program, args);
  if (status === 0) return stdout;
  const words = (stderr.trim() || stdout.trim()).split("\n").slice(-20).join("\n");
  throw new Error(`${program} ${args.join(" ")}: status ${status}\n${words}`);
}
