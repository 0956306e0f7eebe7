import { findDomain, parseDomain, virsh, VirshError } from "guestfs/internal";
import type { DomainChannel, DomainWindow } from "guestfs/internal";
import type { Domain } from "./domain.ts";

/** What a domain has for guestfsd. */
export interface FoundDomain {
  readonly uuid: string;
  readonly active: boolean;
  /** Its channels as it runs. */
  readonly live: readonly DomainChannel[];
  /** Those that it has from its next start on. */
  readonly config: readonly DomainChannel[];
  /** Its window, as it runs. */
  readonly window: DomainWindow | undefined;
  /** Names of its other disks, such as `vda`. */
  readonly targets: readonly string[];
}

/** @throws VirshError */
export async function lookUp({ connection, name }: Domain): Promise<FoundDomain> {
  const { uuid, active, channels, window, disks } = await findDomain({ connection, name, allowUuid: true });
  const targets = disks.map((disk) => disk.first("target")?.attribute("dev") ?? "");
  const found = { uuid, active, window, targets };
  if (!active) return { ...found, live: [], config: channels };
  const inactive = await virsh(connection, ["dumpxml", "--inactive", "--domain", uuid]).catch((error: unknown) => {
    // A transient domain has no such thing.
    if (error instanceof VirshError && error.failure === "refused") return undefined;
    throw error;
  });
  return { ...found, live: channels, config: inactive === undefined ? [] : parseDomain(inactive).channels };
}
