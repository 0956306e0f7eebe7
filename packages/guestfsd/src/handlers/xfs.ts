import type { Context, HandlersOf } from "../context.ts";
import { DaemonError } from "../daemon-error.ts";
import { DeviceNames, isBlockDevice } from "../device.ts";
import { run } from "../exec.ts";
import { readXfsGeometry } from "../xfs-geometry.ts";

const placeOf = (context: Context, pathOrDevice: string): string =>
  pathOrDevice.startsWith("/dev/") ? pathOrDevice : context.sysroot.outside(pathOrDevice);

function valueOption(option: string, value: number | undefined, max = Number.MAX_SAFE_INTEGER): string[] {
  if (value === undefined) return [];
  if (value < 0 || value > max) throw new DaemonError(`${option}: ${value} is out of range`, "EINVAL");
  return option.endsWith("=") ? ["-o", `${option}${value}`] : [option, String(value)];
}

const flag = (option: string, on: boolean | undefined): string[] => (on ? [option] : []);

/** The name on this side of a device that comes as plain text. */
function deviceOption(context: Context, option: string, device: string | undefined): string[] {
  if (device === undefined) return [];
  const name = new DeviceNames(context.state.options.appliance).toKernel(device);
  if (!isBlockDevice(name)) throw new DaemonError(`${device}: not a block device`, "ENOTBLK");
  return [option, name];
}

/** XFS. */
export const xfs: HandlersOf<"xfs"> = {
  xfs_info({ pathordevice }, context) {
    const info = readXfsGeometry(placeOf(context, pathordevice));
    const number = (name: string): number => Number(info[name] ?? 0);
    return {
      xfs_mntpoint: info["meta-data"] ?? "",
      xfs_inodesize: number("meta-data.isize"),
      xfs_agcount: number("meta-data.agcount"),
      xfs_agsize: number("meta-data.agsize"),
      xfs_sectsize: number("meta-data.sectsz"),
      xfs_attr: number("meta-data.attr"),
      xfs_blocksize: number("data.bsize"),
      xfs_datablocks: number("data.blocks"),
      xfs_imaxpct: number("data.imaxpct"),
      xfs_sunit: number("data.sunit"),
      xfs_swidth: number("data.swidth"),
      xfs_dirversion: Number(/\d+/.exec(info["naming"] ?? "")?.[0] ?? 0),
      xfs_dirblocksize: number("naming.bsize"),
      xfs_cimode: number("naming.ascii-ci"),
      xfs_logname: (info["log"] ?? "").replace(/ log$/, ""),
      xfs_logblocksize: number("log.bsize"),
      xfs_logblocks: number("log.blocks"),
      xfs_logversion: number("log.version"),
      xfs_logsectsize: number("log.sectsz"),
      xfs_logsunit: number("log.sunit"),
      xfs_lazycount: number("log.lazy-count"),
      xfs_rtname: info["realtime"] ?? "",
      xfs_rtextsize: number("realtime.extsz"),
      xfs_rtblocks: number("realtime.blocks"),
      xfs_rtextents: number("realtime.rtextents"),
    };
  },
  xfs_info2: ({ pathordevice }, context) => readXfsGeometry(placeOf(context, pathordevice)),
  xfs_growfs({ path, datasec, logsec, rtsec, datasize, logsize, rtsize, rtextsize, maxpct }, context) {
    run([
      "xfs_growfs",
      ...[...flag("-d", datasec), ...flag("-l", logsec), ...flag("-r", rtsec)],
      ...[...valueOption("-D", datasize), ...valueOption("-L", logsize), ...valueOption("-R", rtsize)],
      ...[...valueOption("-e", rtextsize), ...valueOption("-m", maxpct, 100)],
      context.sysroot.outside(path),
    ]);
  },
  xfs_admin({ device, extunwritten, imgfile, v2log, projid32bit, lazycounter, label, uuid }) {
    if (label !== undefined && Buffer.byteLength(label) > 12)
      throw new DaemonError(`${label}: a label of xfs has at most 12 bytes`, "EINVAL");
    run([
      "xfs_admin",
      ...[...flag("-e", extunwritten), ...flag("-f", imgfile), ...flag("-j", v2log), ...flag("-p", projid32bit)],
      ...(lazycounter === undefined ? [] : ["-c", lazycounter ? "1" : "0"]),
      ...(label === undefined ? [] : ["-L", label]),
      ...(uuid === undefined ? [] : ["-U", uuid]),
      device,
    ]);
  },
  xfs_repair(args, context) {
    const { status, stderr } = run(
      [
        "xfs_repair",
        ...[...flag("-L", args.forcelogzero), ...flag("-n", args.nomodify), ...flag("-P", args.noprefetch)],
        ...(args.forcegeometry ? ["-o", "force_geometry"] : []),
        ...valueOption("-m", args.maxmem),
        ...[...valueOption("ihash=", args.ihashsize), ...valueOption("bhash=", args.bhashsize)],
        ...valueOption("ag_stride=", args.agstride),
        ...[...deviceOption(context, "-l", args.logdev), ...deviceOption(context, "-r", args.rtdev)],
        ...(args.device.startsWith("/dev/") ? [] : ["-f"]),
        placeOf(context, args.device),
      ],
      { accept: "any", pulse: context.pulse },
    );
    // How it ended is the answer; only where it did not end by itself there is none.
    if (status > 128) throw new DaemonError(`${args.device}: ${stderr || `xfs_repair ended with status ${status}`}`);
    return status;
  },
};
