import { encodeText } from "@guestfs/protocol";
import { closeSync } from "node:fs";
import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { mapperDevice } from "../device-mapper.ts";
import { run } from "../exec.ts";
import { probeType } from "../native/blkid.ts";
import { memoryFile } from "../native/memory-file.ts";
import { descriptorPath } from "../sysroot.ts";

/** Hands on paths under which a child reads the keys, which never stand on a command line or a disk. */
function withKeys(keys: readonly string[], use: (paths: string[], inherit: number[]) => void): void {
  const open: number[] = [];
  try {
    for (const key of keys) open.push(memoryFile(encodeText(key)));
    use(open.map(descriptorPath), open);
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function cryptsetup(context: Context, argv: readonly string[], inherit: readonly number[] = []): void {
  const { status, stderr } = run(["cryptsetup", "--batch-mode", ...argv], {
    inherit,
    pulse: context.pulse,
    accept: [0, 2],
  });
  // In batch mode the wrong key is told by the status alone, see cryptsetup(8), RETURN CODES.
  if (status === 2) throw new DaemonError(stderr || "no key slot opens with this key");
}

function checkSlot(keyslot: number): string {
  if (keyslot < 0) throw new DaemonError(`${keyslot}: a key slot can't be negative`);
  return String(keyslot);
}

function format(context: Context, device: string, key: string, keyslot: number, ...options: string[]): void {
  const slot = checkSlot(keyslot);
  withKeys([key], ([path = ""], inherit) =>
    cryptsetup(context, ["luksFormat", "--key-file", path, "--key-slot", slot, ...options, "--", device], inherit),
  );
}

interface OpenOptions {
  readonly device: string;
  readonly key: string;
  readonly mapname: string;
  readonly readOnly?: boolean | undefined;
  readonly type?: string | undefined;
  readonly cipher?: string | undefined;
}

/** The type that cryptsetup(8) opens this device as. */
function detectType(device: string): string {
  const known = probeType(device);
  if (known === "crypto_LUKS") return "luks";
  if (known === "BitLocker") return "bitlk";
  throw new DaemonError(`${device}: this is neither LUKS nor BitLocker; give the type`);
}

function open(context: Context, { device, key, mapname, readOnly, type, cipher }: OpenOptions): void {
  // cryptsetup(8) takes any name, dm-crypt then makes /dev/mapper/NAME of it.
  if (mapname === "" || mapname === "." || mapname === ".." || mapname.includes("/"))
    throw new DaemonError(`${mapname}: not a name for /dev/mapper`);
  if (mapname === "control") throw new DaemonError(`${mapname}: this name belongs to the device mapper`);
  const options = ["--type", type ?? detectType(device)];
  if (readOnly) options.push("--readonly");
  if (cipher !== undefined) options.push("--cipher", cipher);
  withKeys([key], ([path = ""], inherit) =>
    cryptsetup(context, ["open", "--key-file", path, ...options, "--", device, mapname], inherit),
  );
}

function close(context: Context, device: string): void {
  const name = mapperDevice(device)?.name;
  if (name === undefined) throw new DaemonError(`${device}: not a device of the device mapper`);
  cryptsetup(context, ["close", "--", name]);
}

/** Encrypted devices. */
export const luks: HandlersOf<"luks"> = {
  luks_format({ device, key, keyslot }, context) {
    format(context, device, key, keyslot);
  },
  luks_format_cipher({ device, key, keyslot, cipher }, context) {
    format(context, device, key, keyslot, "--cipher", cipher);
  },
  luks_add_key({ device, key, newkey, keyslot }, context) {
    const slot = checkSlot(keyslot);
    withKeys([key, newkey], ([old = "", added = ""], inherit) =>
      cryptsetup(context, ["luksAddKey", "--key-file", old, "--key-slot", slot, "--", device, added], inherit),
    );
  },
  luks_kill_slot({ device, key, keyslot }, context) {
    const slot = checkSlot(keyslot);
    withKeys([key], ([path = ""], inherit) =>
      cryptsetup(context, ["luksKillSlot", "--key-file", path, "--", device, slot], inherit),
    );
  },
  luks_uuid({ device }) {
    return run(["cryptsetup", "luksUUID", "--", device]).stdout.toString().trim();
  },
  luks_open({ device, key, mapname }, context) {
    open(context, { device, key, mapname, type: "luks" });
  },
  luks_open_ro({ device, key, mapname }, context) {
    open(context, { device, key, mapname, type: "luks", readOnly: true });
  },
  luks_close({ device }, context) {
    close(context, device);
  },
  cryptsetup_open({ device, key, mapname, readonly: readOnly, crypttype, cipher }, context) {
    open(context, { device, key, mapname, readOnly, type: crypttype, cipher });
  },
  cryptsetup_close({ device }, context) {
    close(context, device);
  },
  clevis_luks_unlock({ device, mapname }, context) {
    run(["clevis-luks-unlock", "-d", device, "-n", mapname], { pulse: context.pulse });
  },
};
