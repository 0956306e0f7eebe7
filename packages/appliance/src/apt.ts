import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProgramFailedError, runOwned } from "@guestfs/qemu";
import { ApplianceError } from "./appliance-error.ts";
import { lookAt, namesIn } from "./look.ts";

/** One package at one version. */
export interface PackageVersion {
  name: string;
  version: string;
}

const hostLists = "/var/lib/apt/lists";

/**
 * The packages that apt would install for `names` on a system that has nothing yet, in apt's output of `apt-get -s install`
 * (apt-get(8), "--simulate": lines `Inst NAME (VERSION ...`).
 */
export function parseSimulation(output: string): PackageVersion[] {
  const found: PackageVersion[] = [];
  for (const match of output.matchAll(/^Inst (\S+) \((\S+) /gm)) {
    const [, name, version] = match;
    if (name !== undefined && version !== undefined) found.push({ name, version });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names that apt says it does not know (`E: Unable to locate package NAME`, `E: Package 'NAME' has no installation candidate`). */
export function parseUnknownPackages(stderr: string): string[] {
  const patterns = [/Unable to locate package (\S+)/g, /Package '([^']+)' has no installation candidate/g];
  return patterns.flatMap((pattern) => [...stderr.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** apt, told to look at the host's package lists and nothing else of the host. Needs no root. */
export class Apt {
  readonly #folder: string;
  #lists = hostLists;

  /** @param folder for apt's own files; made when missing */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Changes whenever the host's package lists or sources may have changed. */
  static stamp(): string {
    const hash = createHash("sha256");
    for (const folder of [hostLists, "/etc/apt", "/etc/apt/sources.list.d"]) {
      for (const name of namesIn(folder).sort()) {
        const info = lookAt(join(folder, name));
        if (info?.isFile() === true) hash.update(`${folder}/${name} ${info.size} ${Math.trunc(info.mtimeMs)}\n`);
      }
    }
    return hash.digest("hex");
  }

  async #run(args: readonly string[], signal: AbortSignal | undefined, cwd?: string): Promise<string> {
    const status = join(this.#folder, "status");
    await mkdir(join(this.#folder, "archives", "partial"), { recursive: true, mode: 0o700 });
    await writeFile(status, "");
    const settings = [
      `Dir::State::status=${status}`,
      `Dir::State::extended_states=${join(this.#folder, "extended_states")}`,
      `Dir::State::lists=${this.#lists}`,
      "Dir::Cache::pkgcache=",
      "Dir::Cache::srcpkgcache=",
      `Dir::Cache::archives=${join(this.#folder, "archives")}`,
      "Debug::NoLocking=1",
      "APT::Install-Recommends=0",
      "APT::Sandbox::User=",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
    ];
    const result = await runOwned("apt-get", [...settings.flatMap((setting) => ["-o", setting]), "-q", ...args], {
      env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal === undefined ? {} : { signal }),
    });
    return result.stdout.toString("utf8");
  }

  /**
   * Resolves names and all they depend on to versions. Names that this release does not have are left out and passed to `onMissing`.
   * When the host has no package lists, fetches them into its own folder.
   *
   * @throws ApplianceError of stage `build`
   */
  async resolve(
    names: readonly string[],
    onMissing: (name: string) => void,
    signal?: AbortSignal,
  ): Promise<PackageVersion[]> {
    let wanted = [...names];
    for (;;) {
      try {
        return parseSimulation(await this.#run(["-y", "-s", "install", ...wanted], signal));
      } catch (error) {
        if (!(error instanceof ProgramFailedError)) throw error;
        const unknown = parseUnknownPackages(error.result.stderr);
        if (unknown.length > wanted.length / 2 && this.#lists === hostLists) {
          await this.#fetchLists(signal);
        } else if (unknown.length > 0) {
          for (const name of unknown) onMissing(name);
          wanted = wanted.filter((name) => !unknown.includes(name));
        } else throw this.#failed("apt can't work out the appliance's packages", error);
      }
    }
  }

  async #fetchLists(signal: AbortSignal | undefined): Promise<void> {
    this.#lists = join(this.#folder, "lists");
    await mkdir(join(this.#lists, "partial"), { recursive: true, mode: 0o700 });
    try {
      // By itself, apt says that all is well when it has fetched nothing.
      await this.#run(["-o", "APT::Update::Error-Mode=any", "update"], signal);
    } catch (error) {
      if (error instanceof ProgramFailedError)
        throw this.#failed("this host has no Debian package lists, and they can't be fetched", error);
      throw error;
    }
  }

  /**
   * Downloads packages into `folder`; apt checks their digests against the signed lists.
   *
   * @throws ApplianceError of stage `build`
   */
  async download(packages: readonly PackageVersion[], folder: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#run(["download", ...packages.map(({ name, version }) => `${name}=${version}`)], signal, folder);
    } catch (error) {
      if (error instanceof ProgramFailedError)
        throw this.#failed("the appliance's packages can't be downloaded", error);
      throw error;
    }
  }

  #failed(message: string, error: ProgramFailedError): ApplianceError {
    return new ApplianceError({
      stage: "build",
      message,
      evidence: error.result.stderr.trim(),
      fix: "sudo apt-get update",
      cause: error,
    });
  }
}
