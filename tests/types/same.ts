/** `true` when two types are one. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when what it is given is `true`. */
export type Holds<Claim extends true> = Claim;
