import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why {@link pretendRunningDomain} can't be used here; `undefined` when it can. */
export function whyNoVirsh(): string | undefined {
  return spawnSync("virsh", ["--version"]).status === 0 ? undefined : "virsh is not installed (libvirt-clients)";
}

/** A domain that libvirt takes for running. */
export interface RunningDomain extends Disposable {
  /** Connection of libvirt's, for `-c`. */
  readonly uri: string;
  readonly name: string;
}

/**
 * A domain of libvirt's test driver, which lives inside virsh: it seems to run, and its channel leads to a daemon here.
 * @param socketPath - where that daemon listens
 */
export function pretendRunningDomain(socketPath: string): RunningDomain {
  const folder = mkdtempSync(join(tmpdir(), "running-domain-"));
  const file = join(folder, "node.xml");
  writeFileSync(
    file,
    `<node><domain type='test'><name>guest</name><memory>65536</memory><os><type>hvm</type></os><devices>
      <channel type='unix'><source mode='bind' path='${socketPath}'/>
        <target type='virtio' name='org.libguestfs.channel.0'/></channel></devices></domain></node>`,
  );
  return {
    uri: `test://${file}`,
    name: "guest",
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
