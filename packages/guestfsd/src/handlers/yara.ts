import { Writer, writeStruct } from "@guestfs/protocol";
import { closeSync, constants, readSync } from "node:fs";
import { writeAll } from "../content.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { memoryFile } from "../native/memory-file.ts";
import { lseek } from "../native/file.ts";
import { YaraRules } from "../native/yara.ts";

const key = Symbol("yara rules");
const rulesMax = 64 * 1024 * 1024;
/** What yara(1) compiles begins so. */
const compiledMagic = "YARA";
/** Longest scan in seconds: a running machine's next client waits for it. */
const [liveTimeout, applianceTimeout] = [120, 3600];

/** Writes the rules that come with a call to a file. */
function receiveRules(input: Iterable<Uint8Array>, fd: number): void {
  let length = 0;
  for (const data of input) {
    length += data.length;
    if (length > rulesMax) throw new DaemonError(`the rules are over ${rulesMax} bytes`, "EFBIG");
    writeAll(fd, data);
  }
}

function isCompiled(fd: number): boolean {
  const head = Buffer.alloc(compiledMagic.length);
  readSync(fd, head, 0, head.length, 0);
  return head.toString("latin1") === compiledMagic;
}

/** YARA rules. */
export const yara: HandlersOf<"yara"> = {
  yara_load(_, context) {
    context.state.drop(key);
    const fd = memoryFile(new Uint8Array(0));
    try {
      receiveRules(context.input, fd);
      lseek(fd, 0, 0);
      const { live } = context.state.options;
      if (live && isCompiled(fd))
        throw new DaemonError("a running machine takes the source of yara rules, not compiled ones", "EINVAL");
      const rules = new YaraRules(fd, live ? "source" : "source or compiled");
      context.state.keep(key, rules, () => rules.destroy());
    } finally {
      closeSync(fd);
    }
  },
  yara_destroy(_, context) {
    if (!context.state.get<YaraRules>(key)) throw new DaemonError("no yara rules loaded");
    context.state.drop(key);
  },
};

/** What the library composes `yara_scan` of. */
export const internalYara: Pick<HandlersOf<"internal">, "internal_yara_scan"> = {
  internal_yara_scan({ path }, context) {
    const rules = context.state.get<YaraRules>(key);
    if (!rules) throw new DaemonError("no yara rules loaded");
    const timeout = context.state.options.live ? liveTimeout : applianceTimeout;
    context.sysroot.withOpen(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, (fd) =>
      rules.scan(fd, timeout, (rule) => {
        const writer = new Writer();
        writeStruct(writer, "yara_detection", { yara_name: path, yara_rule: rule });
        context.output.write(writer.bytes());
      }),
    );
  },
};
