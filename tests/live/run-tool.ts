import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program of packages/tools ended. */
export interface ToolOutcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of packages/tools. */
export function runTool(name: string, ...args: readonly string[]): Promise<ToolOutcome> {
  const program = fileURLToPath(new URL(`../../packages/tools/bin/${name}.js`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}
