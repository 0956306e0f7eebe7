// @ts-check
import { spawnSync } from "node:child_process";
import { run } from "./run.mjs";

/** @import { DebianPackage } from "./debian-packages.mjs" */

/**
 * Names of the packages that dpkg does not have installed; `undefined` where there is no dpkg.
 * @param {readonly DebianPackage[]} wanted
 * @returns {DebianPackage[] | undefined}
 */
export function missing(wanted) {
  const names = wanted.map(({ name }) => name);
  const asked = spawnSync("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...names], {
    encoding: "utf8",
  });
  if (asked.error) return undefined;
  const installed = new Set(
    asked.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.slice(0, line.indexOf(" "))),
  );
  return wanted.filter(({ name }) => !installed.has(name));
}

/** @param {string} program */
function found(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/**
 * Installs what is missing and says why each is wanted. Throws when it can't.
 * @param {readonly DebianPackage[]} wanted
 */
export async function installPackages(wanted) {
  const absent = missing(wanted);
  if (absent === undefined) {
    console.error("setup: this is no Debian; these packages, or their like, must be there:");
    for (const { name, why } of wanted) console.error(`         ${name.padEnd(20)} ${why}`);
    return;
  }
  if (absent.length === 0) return;
  console.error("setup: installing Debian packages:");
  for (const { name, why } of absent) console.error(`         ${name.padEnd(20)} ${why}`);
  const names = absent.map(({ name }) => name);
  const asRoot = process.getuid?.() === 0;
  if (!asRoot && !found("sudo")) {
    throw new Error(
      `root is needed to install packages and there is no sudo; run as root:\n  apt-get update && apt-get install -y --no-install-recommends ${names.join(" ")}`,
    );
  }
  const aptGet = [
    ...(asRoot ? [] : ["sudo"]),
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-o",
    "DPkg::Lock::Timeout=600",
    "-q",
  ];
  await run([...aptGet, "update"]);
  await run([...aptGet, "install", "-y", "--no-install-recommends", ...names]);
}
