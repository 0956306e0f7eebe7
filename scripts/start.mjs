// @ts-check
// `npm start`: the main job; `npm start -- ARGS`: guestfish ARGS.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./project.mjs";

const args = process.argv.slice(2);
const program =
  args.length === 0
    ? ["--import", import.meta.resolve("tsx"), join(root, "examples/main-job.ts")]
    : [join(root, "packages/guestfish/bin/guestfish.js"), ...args];
// Paths in ARGS belong to the folder that npm was called in.
const child = spawn(process.execPath, program, { stdio: "inherit", cwd: process.env["INIT_CWD"] ?? process.cwd() });
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));
child.on("exit", (status, signal) => {
  process.exitCode = status ?? (signal === null ? 1 : 130);
});
