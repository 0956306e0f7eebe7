// Attaches to a daemon on a unix socket, says what its machine runs on, and lists a folder.
//   node --import tsx examples/attach.ts SOCKET [FOLDER]
import { Guestfs, LaunchError } from "guestfs";

const [socket, folder = "/"] = process.argv.slice(2);
if (socket === undefined) throw new Error("usage: attach.ts SOCKET [FOLDER]");

await using g = new Guestfs();
g.setBackend(`unix:${socket}`);
try {
  await g.launch();
} catch (error) {
  if (!(error instanceof LaunchError)) throw error;
  console.error(error.message);
  process.exit(1);
}
const { uts_sysname, uts_release, uts_machine } = await g.utsname();
console.log(`${uts_sysname} ${uts_release} ${uts_machine}`);
for (const { name, ftyp } of await g.readdir(folder)) console.log(ftyp, name);
