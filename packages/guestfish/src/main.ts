import { guestfish } from "./guestfish.ts";

// Everything was written by then, and standard input may well have no end.
void guestfish(process.argv.slice(2)).then((status) => process.exit(status));
