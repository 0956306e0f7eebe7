// Looks into a disk image without changing it: its file systems, and what a file in one of them says.
//   node --import tsx examples/look-inside.ts IMAGE DEVICE FILE
import { Guestfs, RemoteError } from "guestfs";

const [image, device, file] = process.argv.slice(2);
if (image === undefined || device === undefined || file === undefined)
  throw new Error("usage: look-inside.ts IMAGE DEVICE FILE");

await using g = new Guestfs();
g.on("warning", ({ message }) => console.error("warning:", message));
g.on("progress", ({ position, total }) => console.error(`${position} of ${total}`));
g.on("subprocess_quit", ({ reason }) => console.error("the appliance is gone:", reason));

await g.addDrive(image, { readonly: true });
await g.launch({ signal: AbortSignal.timeout(300_000) });
for (const [name, type] of Object.entries(await g.listFilesystems())) console.log(`${name}: ${type}`);
await g.mountRo(device, "/");
try {
  process.stdout.write(await g.cat(file));
} catch (error) {
  if (!(error instanceof RemoteError) || error.errno !== "ENOENT") throw error;
  console.error(`there is no ${file}`);
}
