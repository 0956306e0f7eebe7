import { Guestfs, UnsupportedError } from "guestfs";
import type { Domain } from "./domain.ts";

async function hasExtensions(g: Guestfs): Promise<boolean> {
  try {
    return await g.featureAvailable(["guestfs-extensions"]);
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

/**
 * Attaches to the daemon of a running machine, without changing anything in it, for what only our own daemon can be asked.
 *
 * @param ask what to do while attached
 * @returns what it returned, or `"stock"`
 * @throws GuestfsError
 */
export async function askDaemon<Result>(
  { connection: { uri }, name }: Domain,
  ask: (g: Guestfs) => Promise<Result>,
): Promise<Result | "stock"> {
  await using g = new Guestfs();
  const libvirt = uri === undefined ? {} : { libvirturi: uri };
  await g.addDomain(name, { live: true, readonly: true, allowuuid: true, ...libvirt });
  await g.launch();
  return (await hasExtensions(g)) ? await ask(g) : "stock";
}
