export { chooseAccelerator, recordKvmFailure } from "./accelerator.ts";
export type { AcceleratorChoice, AcceleratorOptions } from "./accelerator.ts";
export { blockDriversIn, QemuProbeError, qemuCapabilities } from "./capabilities.ts";
export type { QemuCapabilities } from "./capabilities.ts";
export { escapeOptionValue, qemuArguments } from "./command-line.ts";
export type { MachineDescription } from "./command-line.ts";
export { findProgram, ProgramFailedError, ProgramNotFoundError, runOwned, spawnOwned } from "./owned-process.ts";
export type {
  OwnedProcess,
  OwnedProcessOptions,
  ProcessExit,
  ProgramResult,
  RunOwnedOptions,
} from "./owned-process.ts";
export { QmpClient, QmpError } from "./qmp.ts";
export type { QmpClientOptions, QmpCommands, QmpErrorCode, QmpEvent, QmpSchemaEntry } from "./qmp.ts";
export { imagePrefixBytes, parseImageHeader, readImageHeader } from "./image-header.ts";
export { ImageHeaderError } from "./image-header-error.ts";
export type { ImageFormat, ImageHeader, ImageReference } from "./image-header-error.ts";
