// Compiled, never run: what the types of @guestfs/schema accept and refuse.
import { procedureByName } from "@guestfs/schema";
import type { Procedure, ProcedureMap, StructMap, Topic, topicOf } from "@guestfs/schema";
import type { Holds, Same } from "./same.ts";

export type Claims = [
  Holds<Same<ReturnType<typeof topicOf>, Topic | undefined>>,
  // Sizes are numbers, for programs compute with them; bytes are bytes.
  Holds<Same<StructMap["stat"]["size"], number>>,
  Holds<Same<ProcedureMap["pread"]["returns"], Uint8Array>>,
  Holds<Same<ProcedureMap["mount"]["args"], { mountable: string; mountpoint: string }>>,
  // @ts-expect-error: there is no such call
  ProcedureMap["no_such_call"],
];

// @ts-expect-error: a name may be unknown
export const row: Procedure = procedureByName.get("mount");

export function rename(known: Procedure): void {
  // @ts-expect-error: rows are read-only
  known.name = "other";
}
