// The door:
//
//   startAppliance(options: ApplianceOptions): Promise<RunningAppliance>      rejects with ApplianceError
//   startWaitingAppliance(options): Promise<WaitingAppliance | undefined>     one that is started ahead, for pools
//   reportHost(options): Promise<HostReport>                                 what guestfs-doctor tells
//   buildAppliance(options: BuildOptions): Promise<BuiltAppliance>            what startAppliance does first; for set-up scripts
//
export { ApplianceError } from "./appliance-error.ts";
export type { ApplianceErrorDetails, ApplianceStage } from "./appliance-error.ts";
export { buildAppliance } from "./build.ts";
export type { BuildOptions, BuiltAppliance } from "./build.ts";
export type { ApplianceDrive, DriveProtocol } from "./drive.ts";
export { reportHost } from "./host-report.ts";
export type { Finding, HostReport } from "./host-report.ts";
export { startAppliance, startWaitingAppliance } from "./launch.ts";
export type { WaitingAppliance } from "./launch.ts";
export type { ApplianceExit, ApplianceOptions, RunningAppliance } from "./running-appliance.ts";
