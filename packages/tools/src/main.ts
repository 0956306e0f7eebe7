import { runTool } from "./run-tool.ts";
import type { Tool } from "./tool.ts";

const tools: Readonly<Record<string, () => Promise<{ readonly tool: Tool }>>> = {
  "guestfs-appliance": () => import("./guestfs-appliance/tool.ts"),
  "guestfs-doctor": () => import("./guestfs-doctor/tool.ts"),
  "guestfs-live": () => import("./guestfs-live/tool.ts"),
  guestmount: () => import("./guestmount/tool.ts"),
  guestunmount: () => import("./guestunmount/tool.ts"),
  "virt-cat": () => import("./virt-cat/tool.ts"),
  "virt-copy-in": () => import("./virt-copy-in/tool.ts"),
  "virt-copy-out": () => import("./virt-copy-out/tool.ts"),
  "virt-edit": () => import("./virt-edit/tool.ts"),
  "virt-ls": () => import("./virt-ls/tool.ts"),
  "virt-tar-in": () => import("./virt-tar-in/tool.ts"),
  "virt-tar-out": () => import("./virt-tar-out/tool.ts"),
};

/** Runs a program of this package with the command line of the process, and ends the process. */
export async function run(name: string): Promise<never> {
  return runTool((await tools[name]!()).tool);
}
