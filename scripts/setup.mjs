#!/usr/bin/env node
// @ts-check
// Makes this machine ready: `setup.mjs` for `npm start`, `setup.mjs tests` for `npm test` as well.
// Needs nothing but Node 20. A second run finds everything there and changes nothing.
// Says what it does on stderr: stdout belongs to the command that follows it.
import { installAppliance } from "./setup/appliance.mjs";
import { build } from "./setup/build.mjs";
import { forStart, onlyForTests } from "./setup/debian-packages.mjs";
import { installPackages } from "./setup/debian.mjs";
import { installLiveMachines } from "./setup/live-machine.mjs";
import { installNpmPackages } from "./setup/npm-packages.mjs";

const tests = process.argv.includes("tests");
try {
  await installPackages(tests ? [...forStart, ...onlyForTests] : forStart);
  await installNpmPackages();
  await build();
  await installAppliance();
  if (tests) await installLiveMachines();
  console.error("setup: everything is here");
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
