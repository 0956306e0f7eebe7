// Compiled, never run: what the library accepts and refuses, and what its calls give back.
import { Guestfs } from "guestfs";
import type { AnyGuestfsError, Application2, GuestfsError, GuestfsErrorCode, Partition, Stat } from "guestfs";
import type { Holds, Same } from "./same.ts";

type Result<Name extends keyof Guestfs> = Guestfs[Name] extends (...args: never[]) => infer R ? Awaited<R> : never;

export type Claims = [
  Holds<Same<Result<"cat">, string>>,
  Holds<Same<Result<"readFile">, Uint8Array>>,
  Holds<Same<Result<"ls">, string[]>>,
  Holds<Same<Result<"listFilesystems">, Record<string, string>>>,
  Holds<Same<Result<"filesize">, number>>,
  Holds<Same<Result<"isDir">, boolean>>,
  Holds<Same<Result<"partList">, Partition[]>>,
  Holds<Same<Result<"stat">, Stat>>,
  Holds<Same<Result<"inspectListApplications2">, Application2[]>>,
  Holds<Same<AnyGuestfsError["code"], GuestfsErrorCode>>,
];

export async function accepted(): Promise<void> {
  await using g = new Guestfs();
  await g.addDrive("disk.img", { readonly: true, format: "raw" });
  await g.launch({ signal: AbortSignal.timeout(1000) });
  await g.mkfs("ext4", "/dev/sda1", { blocksize: 4096, onProgress: ({ position, total }) => position / total });
  await g.upload(new Uint8Array(3), "/three");
  await g.upload("/etc/hostname", "/hostname");
  await g.download("/three", new WritableStream<Uint8Array>());
}

export function narrowed(error: GuestfsError): string {
  const failure = error as AnyGuestfsError;
  switch (failure.code) {
    case "LAUNCH":
      return failure.fix;
    case "STATE":
      return failure.state;
    case "UNSUPPORTED":
      return failure.group;
    default:
      return failure.errno;
  }
}

export async function refused(g: Guestfs): Promise<void> {
  // @ts-expect-error: a parameter is missing
  await g.mount("/dev/sda1");
  // @ts-expect-error: options have types
  await g.mkfs("ext4", "/dev/sda1", { blocksize: "4k" });
  // @ts-expect-error: there is no such option
  await g.mkfs("ext4", "/dev/sda1", { blockSize: 4096 });
  // @ts-expect-error: there is no such call
  await g.noSuchCall();
  // @ts-expect-error: text is not bytes
  await g.write("/f", "text");
}
