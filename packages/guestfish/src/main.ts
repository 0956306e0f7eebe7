import { guestfish } from "./guestfish.ts";

// Everything was written by now, and standard input may well have no end.
process.exit(await guestfish(process.argv.slice(2)));
