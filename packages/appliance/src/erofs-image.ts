import { runOwned } from "@guestfs/qemu";

/**
 * Makes an uncompressed EROFS image of a folder in which root owns everything (mkfs.erofs(1)). Uncompressed because under TCG the guest's
 * processor is dear and the host's page cache is not; every appliance of a host shares those pages.
 *
 * @throws ProgramNotFoundError, ProgramFailedError
 */
export async function erofsImage(folder: string, image: string, signal?: AbortSignal): Promise<void> {
  const args = ["--quiet", "--all-root", "-T", "1", "-U", "00000000-0000-0000-0000-000000000001", image, folder];
  await runOwned("mkfs.erofs", args, signal === undefined ? {} : { signal });
}
