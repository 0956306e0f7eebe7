import { encodeText } from "@guestfs/protocol";
import { closeSync, existsSync } from "node:fs";
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

/** What the exit statuses of cryptsetup(8), RETURN CODES, mean. */
const errnoOfStatus: readonly string[] = ["", "", "EPERM", "ENOMEM", "ENODEV", "EBUSY"];

/**
 * Runs cryptsetup(8).
 * @returns its output
 * @throws DaemonError with `EPERM` for the wrong key
 */
function cryptsetup(context: Context, argv: readonly string[], inherit: readonly number[] = []): string {
  const { status, stdout, stderr } = run(["cryptsetup", "--batch-mode", ...argv], {
    inherit,
    pulse: context.pulse,
    accept: "any",
  });
  if (status === 0) return stdout.toString();
  // In batch mode the wrong key is told by the status alone.
  const said = stderr || (status === 2 ? "no key slot opens with this key" : `cryptsetup ended with status ${status}`);
  throw new DaemonError(said, errnoOfStatus[status] ?? "");
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
  if (existsSync(`/dev/mapper/${mapname}`)) throw new DaemonError(`Device ${mapname} already exists.`, "EEXIST");
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
  luks_uuid: ({ device }, context) => cryptsetup(context, ["luksUUID", "--", device]).trim(),
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
