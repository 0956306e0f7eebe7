/** A filesystem of an operating system. */
export interface MountEntry {
  /** device or `btrfsvol:DEVICE/NAME` */
  readonly mountable: string;
  /** path, or `swap` */
  readonly mountpoint: string;
}

/** What Windows has beside. */
export interface WindowsFacts {
  /** with forward slashes, in the case that the disk has: `/Windows` */
  readonly systemRoot: string;
  readonly softwareHive?: string;
  readonly systemHive?: string;
  /** `ControlSet001` */
  readonly currentControlSet?: string;
  /** drive letter to device */
  readonly driveMappings: Readonly<Record<string, string>>;
  readonly groupPolicy: boolean;
}

/** What is known of an operating system; what is missing is not known. */
export interface OperatingSystem {
  type: string;
  distro?: string;
  productName?: string;
  productVariant?: string;
  major?: number;
  minor?: number;
  arch?: string;
  hostname?: string;
  buildId?: string;
  mounts: MountEntry[];
  windows?: WindowsFacts;
}

/** What a filesystem is to an operating system. */
export type Role =
  | { readonly kind: "root"; readonly system: OperatingSystem }
  /** the /usr of one */
  | { readonly kind: "usr"; readonly system: OperatingSystem }
  | { readonly kind: "other" };
