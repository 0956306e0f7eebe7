import koffi from "koffi";
import { DaemonError } from "../daemon-error.ts";
import { cString } from "./c-string.ts";
import { textAt, wordsAt } from "./pointer.ts";
import type { Pointer } from "./pointer.ts";

type Out = [Pointer | null];
type Callback = (context: Pointer, message: number, data: Pointer, user: null) => number;
type ErrorCallback = (
  level: number,
  file: string | null,
  line: number,
  rule: Pointer | null,
  message: string,
  user: null,
) => void;

interface Library {
  readonly createCompiler: (compiler: Out) => number;
  readonly destroyCompiler: (compiler: Pointer) => void;
  readonly setCallback: (compiler: Pointer, callback: ErrorCallback, user: null) => void;
  readonly setIncludeCallback: (compiler: Pointer, include: null, free: null, user: null) => void;
  readonly addDescriptor: (compiler: Pointer, fd: number, namespace: null, name: Uint8Array) => number;
  readonly getRules: (compiler: Pointer, rules: Out) => number;
  readonly load: (filename: Uint8Array, rules: Out) => number;
  readonly destroyRules: (rules: Pointer) => number;
  readonly scanDescriptor: (
    rules: Pointer,
    fd: number,
    flags: number,
    callback: Callback,
    user: null,
    timeout: number,
  ) => number;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded) return loaded;
  const yara = koffi.load("libyara.so.9");
  const initialize = yara.func("yr_initialize", "int", []) as () => number;
  if (initialize() !== 0) throw new DaemonError("libyara can't be set up");
  const scanCallback = koffi.pointer(koffi.proto("int YaraScan(void *context, int message, void *data, void *user)"));
  const errorCallback = koffi.pointer(
    koffi.proto("void YaraError(int level, const char *file, int line, void *rule, const char *message, void *user)"),
  );
  loaded = {
    createCompiler: yara.func("yr_compiler_create", "int", ["_Out_ void **"]),
    destroyCompiler: yara.func("yr_compiler_destroy", "void", ["void *"]),
    setCallback: yara.func("yr_compiler_set_callback", "void", ["void *", errorCallback, "void *"]),
    setIncludeCallback: yara.func("yr_compiler_set_include_callback", "void", ["void *", "void *", "void *", "void *"]),
    addDescriptor: yara.func("yr_compiler_add_fd", "int", ["void *", "int", "void *", "void *"]),
    getRules: yara.func("yr_compiler_get_rules", "int", ["void *", "_Out_ void **"]),
    load: yara.func("yr_rules_load", "int", ["void *", "_Out_ void **"]),
    destroyRules: yara.func("yr_rules_destroy", "int", ["void *"]),
    scanDescriptor: yara.func("yr_rules_scan_fd", "int", ["void *", "int", "int", scanCallback, "void *", "int"]),
  };
  return loaded;
}

// yara/error.h, yara/rules.h
const ERROR_INVALID_FILE = 6;
const ERROR_SCAN_TIMEOUT = 26;
const ERROR_CALLBACK_ERROR = 28;
const CALLBACK_MSG_RULE_MATCHING = 1;
const CALLBACK_CONTINUE = 0;
const CALLBACK_ERROR = 2;
/** Of `struct YR_RULE`: two 32-bit numbers stand before the name. */
const identifierOffset = 8n;

function failure(action: string, code: number): DaemonError {
  return new DaemonError(`${action}: error ${code} of libyara`);
}

function compile(fd: number): Pointer {
  const yara = library();
  const compiler: Out = [null];
  const created = yara.createCompiler(compiler);
  if (created !== 0 || compiler[0] === null) throw failure("yara rules", created);
  const messages: string[] = [];
  const note = koffi.register(
    ((level, _file, line, _rule, message) => {
      if (level === 0 && messages.length < 20) messages.push(`line ${line}: ${message}`);
    }) satisfies ErrorCallback,
    "YaraError *",
  );
  try {
    yara.setCallback(compiler[0], note as unknown as ErrorCallback, null);
    // The client's rules do not read files of the daemon's side.
    yara.setIncludeCallback(compiler[0], null, null, null);
    const errors = yara.addDescriptor(compiler[0], fd, null, cString("rules"));
    if (errors > 0) throw new DaemonError(`the rules can't be compiled: ${messages.join("; ")}`, "EINVAL");
    const rules: Out = [null];
    const code = yara.getRules(compiler[0], rules);
    if (code !== 0 || rules[0] === null) throw failure("yara rules", code);
    return rules[0];
  } finally {
    yara.destroyCompiler(compiler[0]);
    koffi.unregister(note);
  }
}

/** @returns `undefined` when the file holds no compiled rules */
function loadCompiled(fd: number): Pointer | undefined {
  const rules: Out = [null];
  const code = library().load(cString(`/proc/self/fd/${fd}`), rules);
  if (code !== 0 && code !== ERROR_INVALID_FILE) throw failure("compiled yara rules", code);
  return rules[0] ?? undefined;
}

/** Rules of YARA. */
export class YaraRules {
  readonly #handle: Pointer;

  /**
   * @param fd - a file of rules, at its start
   * @param kinds - whether they may be compiled ones. libyara takes those for what they say, and crashes where they are wrong.
   */
  constructor(fd: number, kinds: "source" | "source or compiled") {
    this.#handle = (kinds === "source" ? undefined : loadCompiled(fd)) ?? compile(fd);
  }

  destroy(): void {
    library().destroyRules(this.#handle);
  }

  /**
   * Tells the name of each rule that matches a file, when all of it has been read.
   * @param timeout - seconds, at least 1
   * @throws DaemonError when it takes longer; libyara gives no other occasion to end it
   */
  scan(fd: number, timeout: number, onMatch: (rule: string) => void): void {
    let thrown: unknown;
    const callback = koffi.register(
      ((_context, message, data) => {
        if (message !== CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
        try {
          onMatch(textAt(wordsAt(data + identifierOffset, 1)[0] as bigint));
          return CALLBACK_CONTINUE;
        } catch (error) {
          thrown = error;
          return CALLBACK_ERROR;
        }
      }) satisfies Callback,
      "YaraScan *",
    );
    try {
      const code = library().scanDescriptor(this.#handle, fd, 0, callback as unknown as Callback, null, timeout);
      if (thrown !== undefined) throw thrown as Error;
      if (code === ERROR_SCAN_TIMEOUT) throw new DaemonError(`the scan took longer than ${timeout} s`, "ETIMEDOUT");
      if (code !== 0 && code !== ERROR_CALLBACK_ERROR) throw failure("yara scan", code);
    } finally {
      koffi.unregister(callback);
    }
  }
}
