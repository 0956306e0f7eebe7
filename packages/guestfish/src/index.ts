/**
 * The guestfish shell, for programs that want to run it in their own process.
 * @packageDocumentation
 */
export { guestfish } from "./guestfish.ts";
