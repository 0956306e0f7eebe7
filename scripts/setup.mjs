#!/usr/bin/env node
// @ts-check
// Makes this machine ready: `setup.mjs` for `npm start`, `setup.mjs conformance` for recorded tests as well, `setup.mjs tests` for
// `npm test` and all else.
// Needs nothing but Node 20. A second run finds everything there and changes nothing.
// Says what it does on stderr: stdout belongs to the command that follows it.
import { installAppliance } from "./setup/appliance.mjs";
import { build } from "./setup/build.mjs";
import { forConformance, forStart, onlyForTests } from "./setup/debian-packages.mjs";
import { installPackages } from "./setup/debian.mjs";
import { installLiveMachines } from "./setup/live-machine.mjs";
import { installNpmPackages } from "./setup/npm-packages.mjs";

const tests = process.argv.includes("tests");
const conformance = tests || process.argv.includes("conformance");
try {
  await installPackages([...forStart, ...(conformance ? forConformance : []), ...(tests ? onlyForTests : [])]);
  await installNpmPackages();
  await build();
  await installAppliance();
  if (tests) await installLiveMachines();
  console.error("setup: everything is here");
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
