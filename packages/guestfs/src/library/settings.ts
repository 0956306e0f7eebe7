import { arch } from "node:process";
import { maxDrives } from "../drives.ts";
import { warnOfIdleSettings } from "../backend-setting.ts";
import { parseEnvironmentLines } from "../environment.ts";
import { GuestfsError, StateError, UnsupportedError } from "../errors.ts";
import { stateNumbers } from "../state.ts";
import type { LibraryFunctions } from "./library.ts";

const qemuArchitecture = arch === "arm64" ? "aarch64" : arch === "x64" ? "x86_64" : arch;
let handlesNumbered = 0;
const handleNumbers = new WeakMap<object, number>();

function numberOf(handle: object): number {
  let number = handleNumbers.get(handle);
  if (number === undefined) handleNumbers.set(handle, (number = ++handlesNumbered));
  return number;
}

type SettingMethod =
  | "cPointer"
  | "clearBackendSetting"
  | "config"
  | "getAppend"
  | "getAttachMethod"
  | "getAutosync"
  | "getBackend"
  | "getBackendSetting"
  | "getBackendSettings"
  | "getCachedir"
  | "getDirect"
  | "getHv"
  | "getIdentifier"
  | "getMemsize"
  | "getNetwork"
  | "getPath"
  | "getPgroup"
  | "getPid"
  | "getProgram"
  | "getQemu"
  | "getRecoveryProc"
  | "getSelinux"
  | "getSmp"
  | "getSockdir"
  | "getState"
  | "getTmpdir"
  | "getTrace"
  | "getVerbose"
  | "isBusy"
  | "isConfig"
  | "isLaunching"
  | "isReady"
  | "maxDisks"
  | "parseEnvironment"
  | "parseEnvironmentList"
  | "setAppend"
  | "setAttachMethod"
  | "setAutosync"
  | "setBackend"
  | "setBackendSetting"
  | "setBackendSettings"
  | "setCachedir"
  | "setDirect"
  | "setHv"
  | "setIdentifier"
  | "setMemsize"
  | "setNetwork"
  | "setPath"
  | "setPgroup"
  | "setProgram"
  | "setQemu"
  | "setRecoveryProc"
  | "setSelinux"
  | "setSmp"
  | "setTmpdir"
  | "setTrace"
  | "setVerbose"
  | "version"
  | "waitReady";

/** Arguments of the hypervisor that are not for callers, as libguestfs has it. */
const ownArguments: ReadonlySet<string> = new Set(
  ["kernel", "initrd", "nographic", "display", "serial", "full-screen", "std-vga", "vga"].map((name) => `-${name}`),
);

/** Settings of the handle and questions about its state. */
export const settingFunctions: LibraryFunctions<SettingMethod> = {
  cPointer: ({ handle }) => Promise.resolve(numberOf(handle)),
  clearBackendSetting: ({ handle }, name) => handle.settings.clearBackendSetting(name),
  config({ handle }, parameter, value) {
    if (!parameter.startsWith("-"))
      throw new RangeError(`config: hvparam: ${JSON.stringify(parameter)} does not begin with "-"`);
    if (ownArguments.has(parameter.replace(/^--/, "-")))
      throw new RangeError(`config: hvparam: ${parameter} is not allowed: the appliance has its own`);
    handle.settings.hvArguments.push([parameter, value]);
  },
  getAppend: ({ handle }) => handle.settings.append,
  getAttachMethod: ({ handle }) => handle.settings.attachMethodName,
  getAutosync: ({ handle }) => handle.settings.autosync,
  getBackend: ({ handle }) => handle.settings.backend,
  getBackendSetting({ handle, procedure }, name) {
    const value = handle.settings.backendSetting(name);
    if (value === undefined)
      throw new GuestfsError("LOCAL", `the setting ${name} was not made`, { procedure, errno: "ESRCH" });
    return value;
  },
  getBackendSettings: ({ handle }) => [...handle.settings.backendSettings],
  getCachedir: ({ handle }) => handle.settings.cachedir,
  getDirect: ({ handle }) => handle.settings.direct,
  getHv: ({ handle }) => (handle.settings.hv === "" ? `/usr/bin/qemu-system-${qemuArchitecture}` : handle.settings.hv),
  getIdentifier: ({ handle }) => handle.settings.identifier,
  getMemsize: ({ handle }) => handle.settings.memsize,
  getNetwork: ({ handle }) => handle.settings.network,
  getPath: ({ handle }) => handle.settings.path,
  getPgroup: ({ handle }) => handle.settings.pgroup,
  getPid({ handle, procedure }) {
    const pid = handle.attachment?.pid;
    if (pid === undefined) throw new StateError("no hypervisor of this handle is running", handle.state, { procedure });
    return pid;
  },
  getProgram: ({ handle }) => handle.settings.program,
  getQemu: (context) => settingFunctions.getHv(context),
  getRecoveryProc: ({ handle }) => handle.settings.recoveryProc,
  getSelinux: ({ handle }) => handle.settings.selinux,
  getSmp: ({ handle }) => handle.settings.smp,
  getSockdir: ({ handle }) => handle.settings.sockdir,
  getState: ({ handle }) => stateNumbers[handle.state],
  getTmpdir: ({ handle }) => handle.settings.tmpdir,
  getTrace: ({ handle }) => handle.settings.trace,
  getVerbose: ({ handle }) => handle.settings.verbose,
  isBusy: ({ handle }) => handle.state === "READY" && handle.turns.busy,
  isConfig: ({ handle }) => handle.state === "CONFIG",
  isLaunching: ({ handle }) => handle.state === "LAUNCHING",
  isReady: ({ handle }) => handle.state === "READY",
  maxDisks({ handle, procedure }) {
    if (handle.settings.attachMethod.type === "appliance") return maxDrives;
    throw new UnsupportedError(`the backend ${handle.settings.backend} takes no disks`, "", { procedure });
  },
  parseEnvironment({ handle, procedure }) {
    handle.settings.readEnvironment(procedure, process.env);
    warnOfIdleSettings(handle);
  },
  parseEnvironmentList({ handle, procedure }, lines) {
    handle.settings.readEnvironment(procedure, parseEnvironmentLines(lines));
    warnOfIdleSettings(handle);
  },
  setAppend({ handle }, append) {
    handle.settings.append = append;
  },
  setAttachMethod: ({ handle, procedure }, backend) => handle.settings.setBackend(procedure, "backend", backend),
  setAutosync({ handle }, autosync) {
    handle.settings.autosync = autosync;
  },
  setBackend: ({ handle, procedure }, backend) => handle.settings.setBackend(procedure, "backend", backend),
  setBackendSetting({ handle }, name, value) {
    handle.settings.clearBackendSetting(name);
    handle.settings.backendSettings.push(`${name}=${value}`);
    warnOfIdleSettings(handle);
  },
  setBackendSettings({ handle }, settings) {
    handle.settings.backendSettings = [...settings];
    warnOfIdleSettings(handle);
  },
  setCachedir: ({ handle }, path) => handle.settings.setCachedir(path),
  setDirect({ handle }, direct) {
    handle.settings.direct = direct;
  },
  setHv({ handle }, hv) {
    handle.settings.hv = hv;
  },
  setIdentifier: ({ handle }, identifier) => handle.settings.setIdentifier(identifier),
  setMemsize: ({ handle }, memsize) => handle.settings.setMemsize(memsize),
  setNetwork({ handle }, network) {
    handle.settings.network = network;
  },
  setPath: ({ handle }, path) => handle.settings.setPath(path),
  setPgroup({ handle }, pgroup) {
    handle.settings.pgroup = pgroup;
  },
  setProgram({ handle }, program) {
    handle.settings.program = program;
  },
  setQemu({ handle }, hv) {
    handle.settings.hv = hv ?? "";
  },
  setRecoveryProc({ handle }, recoveryProc) {
    handle.settings.recoveryProc = recoveryProc;
  },
  setSelinux({ handle }, selinux) {
    handle.settings.selinux = selinux;
  },
  setSmp: ({ handle }, smp) => handle.settings.setSmp(smp),
  setTmpdir: ({ handle }, path) => handle.settings.setTmpdir(path),
  setTrace({ handle }, trace) {
    handle.settings.trace = trace;
  },
  setVerbose({ handle }, verbose) {
    handle.settings.verbose = verbose;
  },
  version: () => ({ major: 1, minor: 60, release: 1, extra: "" }),
  waitReady({ handle, procedure }) {
    if (handle.state !== "READY")
      throw new StateError(`the handle is in state ${handle.state}: launch has to end first`, handle.state, {
        procedure,
      });
  },
};
