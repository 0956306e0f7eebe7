// A client that uploads until it is killed. Arguments: libvirt's URI, the machine, the file.
import { randomBytes } from "node:crypto";
import { Guestfs } from "guestfs";

const [libvirturi = "", name = "", file = ""] = process.argv.slice(2);
const piece = randomBytes(1024 * 1024);

function* endless(): Iterable<Uint8Array> {
  for (;;) yield piece;
}

await using g = new Guestfs();
await g.addDomain(name, { libvirturi, live: true });
await g.launch();
await g.upload(endless(), file);
