import type { LibvirtConnection } from "../libvirt/virsh.ts";

/** A running domain whose daemon is to be reached. */
export interface LiveDomain {
  readonly connection: LibvirtConnection;
  readonly name: string;
  readonly uuid: string;
  /** Sockets of its channels on this host; each serves one client at a time. At least one. */
  readonly channels: readonly LiveChannel[];
  /** The file of the disk that its clients' windows are on (PROTOCOL.md), when it has one. */
  readonly window: string | undefined;
  /** Whether nothing in the machine may be changed. */
  readonly readonly: boolean;
}

/** A channel of a running domain. */
export interface LiveChannel {
  /** Name of the virtio port in the machine. */
  readonly port: string;
  /** The unix socket on this host. */
  readonly path: string;
}
