import { readFileSync } from "node:fs";
import { DaemonError } from "./daemon-error.ts";
import type { DaemonState } from "./daemon-state.ts";
import { run } from "./exec.ts";

function isLoaded(type: string): boolean {
  return readFileSync("/proc/filesystems", "utf8")
    .split("\n")
    .some((line) => line.split("\t")[1] === type);
}

/**
 * Whether the kernel has a type of filesystem. Its module is loaded for that, by the name by which mount(2) asks for it, so that
 * no other module is; for a client that may change nothing it is enough that it could be.
 */
export function kernelHas(state: DaemonState, type: string): boolean {
  if (isLoaded(type)) return true;
  const look = state.guard?.readOnly ? ["--dry-run"] : [];
  const { status } = run(["modprobe", "-q", ...look, "--", `fs-${type}`], { accept: "any" });
  return look.length > 0 ? status === 0 : isLoaded(type);
}

/** @throws DaemonError when the kernel would load a module for a client that may change nothing */
export function checkLoaded(state: DaemonState, type: string): void {
  if (state.guard?.readOnly && !isLoaded(type))
    throw new DaemonError(`the kernel has not loaded ${type}, and this client may change nothing`, "EROFS");
}
