/** What the text of a string parameter stands for, and so what is checked before the call runs. */
export type StringKind =
  /** any text */
  | "plain"
  /** an absolute path inside the mounted file systems */
  | "pathname"
  /** a block device, such as `/dev/sda1` */
  | "device"
  /** a device or a btrfs subvolume (`btrfsvol:/dev/sda1/name`) */
  | "mountable"
  /** a device or an absolute path */
  | "device-or-path"
  /** a mountable or an absolute path */
  | "mountable-or-path"
  /** one path element, without a slash */
  | "filename"
  /** a secret: never logged, traced or put on a command line */
  | "key"
  /** a GUID such as `C12A7328-F81F-11D2-BA4B-00A0C93EC93B` */
  | "guid"
  /** content that flows from the caller to the daemon */
  | "file-in"
  /** content that flows from the daemon to the caller */
  | "file-out";

/** One required parameter, in the order of the wire. */
export interface Parameter {
  /** Spelling on the wire. */
  readonly name: string;
  readonly type: "string" | "optional-string" | "string-list" | "bool" | "int" | "int64" | "buffer" | "pointer";
  /** Only for `string` and `string-list`. */
  readonly of?: StringKind;
  /** Only for `int64`: all 64 bits are used, so the daemon gets a `bigint`. */
  readonly wide?: true;
  /** A few words; units and ranges where they matter. */
  readonly summary: string;
}

/** One optional argument. Its place in {@link Procedure.optional} is its bit in the header's mask. */
export interface OptionalParameter {
  /** Spelling on the wire. */
  readonly name: string;
  readonly type: "string" | "string-list" | "bool" | "int" | "int64";
  readonly summary: string;
}

/** What a call gives back. */
export type Result =
  | {
      readonly type: "none" | "bool" | "int" | "buffer" | "const-string" | "const-optional-string";
    }
  | {
      readonly type: "int64";
      /** All 64 bits are used, so the value is a `bigint`. */
      readonly wide?: true;
    }
  | {
      readonly type: "string" | "string-list";
      /** Names of devices and mountables are mapped back to `/dev/sdX`. */
      readonly of?: "device" | "mountable";
    }
  | {
      readonly type: "hashtable";
      readonly keys?: "device" | "mountable";
      readonly values?: "device" | "mountable";
    }
  | { readonly type: "struct" | "struct-list"; readonly struct: string };

/** One call of the API: everything that the wire, the library, the daemon, the shell and the docs know of it. */
export interface Procedure {
  /** Spelling on the wire (`part_add`); methods and shell commands derive from it. */
  readonly name: string;
  /** Number on the wire. Absent: the library answers the call by itself, or composes it of others. */
  readonly proc?: number;
  /** libguestfs version that brought the call, such as `1.19.63`. */
  readonly since: string;
  /** One sentence, one line. */
  readonly summary: string;
  readonly params: readonly Parameter[];
  readonly optional?: readonly OptionalParameter[];
  readonly returns: Result;
  /** Optional group (`feature_available`); absent: every daemon has the call. */
  readonly group?: string;
  /** Absent: public. `state` calls ask for the handle's state; `internal` and `debug` ones promise nothing. */
  readonly visibility?: "public-no-shell" | "state" | "internal" | "debug";
  /** `true`, or the name of the call to use instead. */
  readonly deprecated?: true | string;
  /** Sends progress messages. */
  readonly progress?: true;
  /** Can be stopped half-way by `user_cancel`. */
  readonly cancellable?: true;
  /** Allowed only before `launch`. */
  readonly configOnly?: true;
  /** Had no optional arguments at first, so an old peer sends no mask. */
  readonly onceHadNoOptionals?: true;
  /** Changes the drives, also of a handle that is READY, so the method is asynchronous although `immediate`. */
  readonly hotplug?: true;
  /** Answers at once, without waiting for another call on the handle. */
  readonly immediate?: true;
  /** The result or the data has to fit in one message (4 MiB). */
  readonly oneMessage?: true;
  /** Other names of the method, in wire spelling. */
  readonly aliases?: readonly string[];
  /** `false`: no shell command. Otherwise what departs from the kebab-case name and plain output. */
  readonly shell?: false | { readonly aliases?: readonly string[]; readonly output?: "hex" | "octal" };
}

/** One column of a struct, in wire order. */
export interface StructField {
  readonly name: string;
  readonly type:
    | "char"
    | "string"
    | "device"
    | "buffer"
    | "int32"
    | "uint32"
    | "int64"
    | "uint64"
    /** a size in bytes (64-bit signed) */
    | "bytes"
    /** 32 raw characters without a length */
    | "uuid"
    /** 32-bit float, -1 when absent */
    | "percent";
  /** All 64 bits are used, so the value is a `bigint`. */
  readonly wide?: true;
}

/** A struct of the API. */
export interface Struct {
  readonly name: string;
  readonly summary: string;
  readonly fields: readonly StructField[];
  readonly internal?: true;
}
