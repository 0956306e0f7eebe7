import { ReplyBytes, withContent } from "../content.ts";
import type { HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { textUntilNul } from "../guest-text.ts";
import { readInitrd } from "../initrd.ts";
import { ReplyRoom } from "../reply-room.ts";

/** initrd images. */
export const initrd: HandlersOf<"initrd"> = {
  initrd_list({ path }, context) {
    const names: string[] = [];
    const room = new ReplyRoom();
    const visit = ({ nameBytes }: { nameBytes: Buffer }): undefined => {
      room.takeString(nameBytes.length);
      names.push(textUntilNul(nameBytes));
    };
    withContent(context, path, (fd) => readInitrd(fd, { visit, enough: () => false }, context.pulse));
    return names;
  },
  initrd_cat({ initrdpath, filename }, context) {
    const bytes = new ReplyBytes();
    let left: number | undefined;
    const take = (data: Buffer): void => {
      bytes.add(data);
      left = (left ?? 0) - data.length;
    };
    withContent(context, initrdpath, (fd) =>
      readInitrd(
        fd,
        {
          visit(entry) {
            if (left !== undefined || textUntilNul(entry.nameBytes) !== filename) return undefined;
            left = entry.size;
            return take;
          },
          enough: () => left === 0,
        },
        context.pulse,
      ),
    );
    if (left === undefined) throw new DaemonError(`${filename}: no such file in the initrd`, "ENOENT");
    if (left > 0) throw new DaemonError(`${filename}: the initrd ends in the middle of it`, "EINVAL");
    return bytes.bytes();
  },
};
