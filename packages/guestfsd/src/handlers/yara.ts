import { Writer, writeStruct } from "@guestfs/protocol";
import { closeSync, constants } from "node:fs";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { memoryFile } from "../native/memory-file.ts";
import { lseek } from "../native/file.ts";
import { YaraRules } from "../native/yara.ts";

const key = Symbol("yara rules");

/** YARA rules. */
export const yara: HandlersOf<"yara"> = {
  yara_load(_, context) {
    context.state.drop(key);
    const fd = memoryFile(new Uint8Array(0));
    try {
      context.input.copyTo(fd);
      lseek(fd, 0, 0);
      const rules = new YaraRules(fd);
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
    context.sysroot.withOpen(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, (fd) =>
      rules.scan(fd, (rule) => {
        const writer = new Writer();
        writeStruct(writer, "yara_detection", { yara_name: path, yara_rule: rule });
        context.output.write(writer.bytes());
      }),
    );
  },
};
