import type { ToolOption } from "./options.ts";

/** What the programs that copy into a machine or out of it take besides, as they once were calls of guestfish. */
export function copyOptions(access: "ro" | "rw"): readonly ToolOption[] {
  return [
    { name: access, short: access === "ro" ? "r" : "w", long: access },
    { name: "inspector", short: "i", long: "inspector" },
    { name: "network", long: "network" },
    { name: "no-progress-bars", long: "no-progress-bars" },
    { name: "no-sync", short: "n", long: "no-sync" },
    { name: "progress-bars", long: "progress-bars" },
  ];
}

/** What `--help` says of those that do something. */
export const copyHelp = `      --network           the appliance reaches the network
  -n, --no-sync           do not flush at the end
`;
