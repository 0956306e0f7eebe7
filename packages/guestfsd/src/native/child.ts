import koffi from "koffi";
import { cString } from "./c-string.ts";
import { insideRoot } from "./root.ts";
import { check, SystemError, uninterrupted } from "./system-error.ts";

const libc = koffi.load("libc.so.6");
type Block = Uint8Array;

const actionsInit = libc.func("posix_spawn_file_actions_init", "int", ["void*"]) as (actions: Block) => number;
const actionsDestroy = libc.func("posix_spawn_file_actions_destroy", "int", ["void*"]) as (actions: Block) => number;
const actionsDup2 = libc.func("posix_spawn_file_actions_adddup2", "int", ["void*", "int", "int"]) as (
  actions: Block,
  from: number,
  to: number,
) => number;
const actionsFchdir = libc.func("posix_spawn_file_actions_addfchdir_np", "int", ["void*", "int"]) as (
  actions: Block,
  fd: number,
) => number;
const attributesInit = libc.func("posix_spawnattr_init", "int", ["void*"]) as (attributes: Block) => number;
const setFlags = libc.func("posix_spawnattr_setflags", "int", ["void*", "short"]) as (
  attributes: Block,
  flags: number,
) => number;
const setDefaults = libc.func("posix_spawnattr_setsigdefault", "int", ["void*", "void*"]) as (
  attributes: Block,
  set: Block,
) => number;
const setMask = libc.func("posix_spawnattr_setsigmask", "int", ["void*", "void*"]) as (
  attributes: Block,
  set: Block,
) => number;
const spawnp = libc.func("posix_spawnp", "int", ["void*", "void*", "void*", "void*", "void **", "void **"]) as (
  pid: Int32Array,
  file: Block,
  actions: Block,
  attributes: Block,
  argv: (Block | null)[],
  environment: (Block | null)[],
) => number;
const waitpidC = libc.func("waitpid", "int", ["int", "void*", "int"]) as (
  pid: number,
  status: Int32Array,
  options: number,
) => number;
const killC = libc.func("kill", "int", ["int", "int"]) as (pid: number, signal: number) => number;
const syscall2 = libc.func("syscall", "long", ["long", "int", "uint"]) as (
  number: number,
  pid: number,
  flags: number,
) => number;
const pipe2C = libc.func("pipe2", "int", ["void*", "int"]) as (ends: Int32Array, flags: number) => number;
const fcntlC = libc.func("fcntl", "int", ["int", "int", "int"]) as (
  fd: number,
  command: number,
  value: number,
) => number;

const SYS_pidfd_open = 434;
const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETPIPE_SZ = 1031;
const F_SETFL = 4;

/** What a child starts with. */
export interface ChildSetup {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  /** descriptors that the child finds under the same numbers */
  readonly inherit?: readonly number[];
  /** descriptor of the working directory */
  readonly directory?: number;
  /** descriptor of the folder that is its `/` */
  readonly root?: number;
}

/** posix_spawnp(3): the child leads a process group of its own and has every signal at its default. */
export function spawnChild(setup: ChildSetup): number {
  // Larger than glibc's types, which are 80 and 336 bytes.
  const actions = new Uint8Array(256);
  const attributes = new Uint8Array(512);
  actionsInit(actions);
  attributesInit(attributes);
  try {
    actionsDup2(actions, setup.stdin, 0);
    actionsDup2(actions, setup.stdout, 1);
    actionsDup2(actions, setup.stderr, 2);
    for (const fd of setup.inherit ?? []) actionsDup2(actions, fd, fd);
    if (setup.directory !== undefined) actionsFchdir(actions, setup.directory);
    setDefaults(attributes, new Uint8Array(128).fill(0xff));
    setMask(attributes, new Uint8Array(128));
    setFlags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    const argv = setup.argv.map(cString);
    const environment = Object.entries(setup.environment).map(([name, value]) => cString(`${name}=${value}`));
    const pid = new Int32Array(1);
    const file = cString(setup.argv[0] ?? "");
    const start = (): number => spawnp(pid, file, actions, attributes, [...argv, null], [...environment, null]);
    const errno = setup.root === undefined ? start() : insideRoot(setup.root, start);
    if (errno !== 0) throw new SystemError(setup.argv[0] ?? "posix_spawn", errno);
    return pid[0] as number;
  } finally {
    actionsDestroy(actions);
  }
}

/** How a child ended. */
export interface ChildEnd {
  /** exit status; 128 + signal when a signal ended it */
  readonly status: number;
  readonly signal: number;
}

/** waitpid(2), to the end. */
export function waitForChild(pid: number): ChildEnd {
  const status = new Int32Array(1);
  uninterrupted(() => waitpidC(pid, status, 0), "waitpid");
  const word = status[0] as number;
  const signal = word & 0x7f;
  return { status: signal === 0 ? (word >> 8) & 0xff : 128 + signal, signal };
}

/** Ends a child and all that it started in its group. */
export function killGroup(pid: number): void {
  killC(-pid, 9);
}

/** A descriptor that becomes readable when the process ends. */
export function openPidDescriptor(pid: number): number {
  return check(syscall2(SYS_pidfd_open, pid, 0), "pidfd_open");
}

/** pipe2(2): [read end, write end], closed on exec. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  check(pipe2C(ends, O_CLOEXEC), "pipe2");
  return [ends[0] as number, ends[1] as number];
}

/** Asks for more room in a pipe, in bytes: what runs on one processor changes places less often. Nothing happens when it is not to be had. */
export function enlargePipe(fd: number, size: number): void {
  fcntlC(fd, F_SETPIPE_SZ, size);
}

/** Makes writes of this end return at once when the pipe is full. */
export function setNonBlocking(fd: number): void {
  check(fcntlC(fd, F_SETFL, O_NONBLOCK), "fcntl");
}
