import { homedir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { attachMethodName, parseAttachMethod } from "./attach/attach-method.ts";
import type { AttachMethod } from "./attach/attach-method.ts";
import { parseBoolean } from "./environment.ts";

type Variables = Readonly<Record<string, string | undefined>>;

function range(procedure: string, parameter: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new RangeError(`${procedure}: ${parameter}: ${value} is not an integer from ${low} to ${high}`);
  return value;
}

/** What can be set on a handle, with libguestfs's defaults and limits where they make sense here. */
export class Settings {
  append: string | null = null;
  autosync = true;
  attachMethod: AttachMethod = { type: "appliance" };
  backendSettings: string[] = [];
  direct = false;
  hv = "";
  identifier = "";
  network = false;
  pgroup = false;
  program: string = basename(process.argv[1] ?? process.execPath);
  recoveryProc = true;
  selinux = false;
  trace = false;
  verbose = false;
  libvirtCredentials: string[] = [];
  /** Arguments that `config` added to the hypervisor's command line. */
  readonly hvArguments: (readonly [string, string | null])[] = [];
  #memsize = 1280;
  #smp = 1;
  #path: string | null = null;
  #tmpdir: string | null = null;
  #cachedir: string | null = null;
  readonly #environment: Variables;

  /** @param environment - where the default folders come from */
  constructor(environment: Variables) {
    this.#environment = environment;
  }

  get memsize(): number {
    return this.#memsize;
  }

  setMemsize(megabytes: number): void {
    this.#memsize = range("set_memsize", "memsize", megabytes, 256, 0x7fffffff);
  }

  get smp(): number {
    return this.#smp;
  }

  setSmp(processors: number): void {
    this.#smp = range("set_smp", "smp", processors, 1, 255);
  }

  setIdentifier(identifier: string): void {
    if (!/^[A-Za-z0-9_-]*$/.test(identifier))
      throw new RangeError(
        `set_identifier: identifier: "${identifier}" has other characters than letters, digits, "_" and "-"`,
      );
    this.identifier = identifier;
  }

  get path(): string {
    return this.#path ?? "/usr/lib/guestfs";
  }

  setPath(path: string | null): void {
    this.#path = path;
  }

  get tmpdir(): string {
    return this.#tmpdir ?? resolve(this.#variable("TMPDIR") ?? "/tmp");
  }

  setTmpdir(path: string | null): void {
    this.#tmpdir = path === null ? null : resolve(path);
  }

  get cachedir(): string {
    if (this.#cachedir !== null) return this.#cachedir;
    const folder = this.#variable("XDG_CACHE_HOME");
    // A relative one is to be ignored (XDG Base Directory Specification).
    return join(folder !== undefined && isAbsolute(folder) ? folder : join(homedir(), ".cache"), "guestfs");
  }

  setCachedir(path: string | null): void {
    this.#cachedir = path === null ? null : resolve(path);
  }

  get sockdir(): string {
    return this.#variable("XDG_RUNTIME_DIR") ?? "/tmp";
  }

  get backend(): string {
    return attachMethodName(this.attachMethod, "direct");
  }

  get attachMethodName(): string {
    return attachMethodName(this.attachMethod, "appliance");
  }

  setBackend(procedure: string, parameter: string, text: string): void {
    this.attachMethod = parseAttachMethod(procedure, parameter, text);
  }

  /** @returns the value of `name=value`, `"1"` of a bare `name`, `undefined` when there is none */
  backendSetting(name: string): string | undefined {
    for (const setting of this.backendSettings) {
      if (setting === name) return "1";
      if (setting.startsWith(`${name}=`)) return setting.slice(name.length + 1);
    }
    return undefined;
  }

  /** @returns how many were removed */
  clearBackendSetting(name: string): number {
    const before = this.backendSettings.length;
    this.backendSettings = this.backendSettings.filter(
      (setting) => setting !== name && !setting.startsWith(`${name}=`),
    );
    return before - this.backendSettings.length;
  }

  /**
   * Takes the variables that libguestfs knows.
   * @throws RangeError naming the variable whose value makes no sense
   */
  readEnvironment(procedure: string, variables: Variables): void {
    const given = (name: string, take: (value: string) => void): void => {
      const value = variables[name];
      if (value !== undefined && value !== "") take(value);
    };
    const flag = (name: string, take: (value: boolean) => void): void =>
      given(name, (text) => {
        const value = parseBoolean(text);
        if (value === undefined) throw new RangeError(`${procedure}: ${name}: "${text}" is neither true nor false`);
        take(value);
      });
    flag("LIBGUESTFS_TRACE", (value) => (this.trace = value));
    flag("LIBGUESTFS_DEBUG", (value) => (this.verbose = value));
    given("LIBGUESTFS_TMPDIR", (value) => this.setTmpdir(value));
    given("LIBGUESTFS_CACHEDIR", (value) => this.setCachedir(value));
    given("LIBGUESTFS_PATH", (value) => this.setPath(value));
    given("LIBGUESTFS_QEMU", (value) => (this.hv = value));
    given("LIBGUESTFS_HV", (value) => (this.hv = value));
    given("LIBGUESTFS_APPEND", (value) => (this.append = value));
    given("LIBGUESTFS_MEMSIZE", (value) => {
      if (!/^[0-9]+$/.test(value)) throw new RangeError(`${procedure}: LIBGUESTFS_MEMSIZE: "${value}" is no number`);
      this.setMemsize(Number(value));
    });
    given("LIBGUESTFS_ATTACH_METHOD", (value) => this.setBackend(procedure, "LIBGUESTFS_ATTACH_METHOD", value));
    given("LIBGUESTFS_BACKEND", (value) => this.setBackend(procedure, "LIBGUESTFS_BACKEND", value));
    given("LIBGUESTFS_BACKEND_SETTINGS", (value) => (this.backendSettings = value.split(":")));
  }

  #variable(name: string): string | undefined {
    const value = this.#environment[name];
    return value === undefined || value === "" ? undefined : value;
  }
}
