import { CommandLineError } from "./command-line-error.ts";
import type { CommandLineHandle } from "./handle.ts";

/**
 * Turns a Windows path (`C:\Windows\win.ini`, `\Windows`; what stood after `win:`) into the path where the
 * guest has it, asking inspection where the drive is mounted (guestfish(1), WINDOWS PATHS).
 * Throws {@link CommandLineError} when the guest was not inspected or the drive is not mounted.
 */
export async function resolveWindowsPath(handle: CommandLineHandle, path: string): Promise<string> {
  const [, drive = "", rest = ""] = /^(?:([A-Za-z]):)?(.*)$/s.exec(path) ?? [];
  const forward = rest.replaceAll("\\", "/");
  const absolute = forward.startsWith("/") ? forward : `/${forward}`;
  const prefix = drive === "" ? "" : await mountpointOfDrive(handle, drive.toLowerCase());
  return handle.caseSensitivePath(prefix === "/" ? absolute : prefix + absolute);
}

async function mountpointOfDrive(handle: CommandLineHandle, drive: string): Promise<string> {
  const roots = await handle.inspectGetRoots();
  if (roots.length === 0)
    throw new CommandLineError("Windows drive letters are known only after inspection: use -i, or run 'inspect-os'");
  for (const root of roots) {
    const devices = await handle.inspectGetDriveMappings(root);
    const device = Object.entries(devices).find(([letter]) => letter.toLowerCase() === drive)?.[1];
    if (device === undefined) continue;
    const mounted = Object.entries(await handle.mountpoints()).find(([mountable]) => mountable === device)?.[1];
    if (mounted === undefined)
      throw new CommandLineError(`drive ${drive.toUpperCase()}: is ${device}, which is not mounted`);
    return mounted;
  }
  throw new CommandLineError(`the guest has no drive ${drive.toUpperCase()}:`);
}
