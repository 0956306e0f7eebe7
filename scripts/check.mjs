// @ts-check
// The gate: `check.mjs [--fix] [NAME ...]` runs every check, or the named ones. What fails is shown whole.
import { spawn } from "node:child_process";
import { environment, root } from "./project.mjs";

process.chdir(root);
const source = ["node", "--conditions=source", "--import", "tsx"];

/**
 * `first` names what must have passed before; `fix` is the command that mends what the check finds.
 * @type {readonly { name: string, command: string[], fix?: string[], first?: string }[]}
 */
const checks = [
  { name: "types", command: ["tsc", "-b"] },
  {
    name: "generated",
    command: [...source, "packages/codegen/src/main.ts", "--check"],
    fix: ["npm", "run", "generate"],
  },
  { name: "lint", command: ["oxlint"], fix: ["oxlint", "--fix"] },
  { name: "format", command: ["oxfmt", "--list-different"], fix: ["oxfmt"] },
  { name: "layers", command: [...source, "scripts/check-layers.ts"] },
  { name: "lock", command: ["npm", "ci", "--dry-run", "--ignore-scripts", "--offline"] },
  { name: "unused", command: ["knip"] },
  {
    name: "interface",
    command: ["node", "scripts/api-report.mjs", "--check"],
    fix: ["npm", "run", "api"],
    first: "types",
  },
  { name: "docs", command: [...source, "scripts/check-docs.ts"], first: "types" },
  { name: "packages", command: ["node", "scripts/check-packages.mjs"], first: "types" },
];

/**
 * @param {string[]} command
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function run([program = "", ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (bytes) => (output += bytes));
    child.stderr.on("data", (bytes) => (output += bytes));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

const words = process.argv.slice(2);
const fix = words.includes("--fix");
const names = words.filter((word) => word !== "--fix");
const unknown = names.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `check: no check is called ${unknown.join(", ")}; there are ${checks.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
const waiting = checks.filter(({ name }) => names.length === 0 || names.includes(name));
/** @type {Map<string, Promise<void>>} */
const running = new Map();
/** @type {string[]} */
const failed = [];

async function worker() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const { name, command, fix: mend, first } = check;
    const work = async () => {
      await (first === undefined ? undefined : running.get(first));
      const started = Date.now();
      if (fix && mend !== undefined) await run(mend);
      const { status, output } = await run(command);
      const time = `${((Date.now() - started) / 1000).toFixed(1)} s`;
      if (status === 0) {
        console.log(`ok    ${name} (${time})`);
        return;
      }
      failed.push(name);
      console.log(`FAIL  ${name} (${time}): ${command.join(" ")}\n${output.trimEnd().replaceAll(/^/gm, "      ")}`);
      if (mend !== undefined && !fix) console.log(`      to mend it: npm run check -- --fix ${name}`);
    };
    const done = work();
    running.set(name, done);
    await done;
  }
}

await Promise.all([worker(), worker()]);
console.log(failed.length === 0 ? "check: all passed" : `check: failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
