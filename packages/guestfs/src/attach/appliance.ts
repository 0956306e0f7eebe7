import { ApplianceError, startAppliance } from "@guestfs/appliance";
import type { ApplianceDrive, ApplianceExit, ApplianceOptions, RunningAppliance } from "@guestfs/appliance";
import { Connection } from "../connection.ts";
import { CancelledError, GuestfsError, LaunchError } from "../errors.ts";
import type { ProcessEnd } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { TransferWindow } from "../transfer/window.ts";
import type { Attachment, AttachRequest } from "./attachment.ts";
import { daemonBundle } from "./daemon-bundle.ts";

/** Steps of a launch, for its progress events: libguestfs counts to 12 as well. */
const launchSteps = 12;
/** How long a hypervisor whose channel was closed may take to end, in milliseconds. */
const endPatience = 1000;

function explain(error: unknown, signal: AbortSignal): Error {
  if (error instanceof GuestfsError) return error;
  if (signal.aborted) return new CancelledError("cancelled", { procedure: "launch", cause: signal.reason });
  if (!(error instanceof ApplianceError))
    return new LaunchError(error instanceof Error ? error.message : String(error), { cause: error });
  return new LaunchError(error.summary, {
    evidence: error.evidence,
    fix: error.fix,
    cause: error,
  });
}

/** A change of the drives of a running appliance. */
async function changing(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    const { message, summary = message } = error as Error & { summary?: string };
    throw new GuestfsError("LOCAL", summary, { cause: error });
  }
}

/** A drive with what the handle allows all of them. */
function withPermissions(drive: ApplianceDrive, settings: Settings): ApplianceDrive {
  return settings.backendSetting("allow_other_files") === "1" ? { ...drive, allowOtherFiles: true } : drive;
}

const isReadOnly = ({ readonly }: ApplianceDrive): boolean => readonly === true;

async function processEnd(appliance: RunningAppliance): Promise<ProcessEnd> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<ApplianceExit>((resolve) => {
    timer = setTimeout(() => resolve({ code: null, signal: null }), endPatience);
  });
  const { code, signal } = await Promise.race([appliance.exited, patience]);
  clearTimeout(timer);
  return { exitCode: code, signal, consoleTail: appliance.consoleTail() };
}

/** What of the settings decides how an appliance is started; its drives are added by whoever starts it. */
export function applianceOptions(settings: Settings): ApplianceOptions {
  const accelerator =
    settings.backendSetting("force_kvm") === "1"
      ? "kvm"
      : settings.backendSetting("force_tcg") === "1"
        ? "tcg"
        : "auto";
  return {
    drives: [],
    memsize: settings.memsize,
    smp: settings.smp,
    ...(settings.hv === "" ? {} : { hv: settings.hv }),
    hvArguments: settings.hvArguments.flatMap(([name, value]) => (value === null ? [name] : [name, value])),
    ...(settings.append === null ? {} : { append: settings.append }),
    network: settings.network,
    cacheDir: settings.cachedir,
    tmpDir: settings.tmpdir,
    daemonBundle: daemonBundle(),
    verbose: settings.verbose,
    accelerator,
    template: settings.backendSetting("template") !== "0",
  };
}

async function start(request: AttachRequest, drives: readonly ApplianceDrive[]): Promise<RunningAppliance> {
  const { settings, signal } = request;
  const options = applianceOptions(settings);
  // What was started ahead was started without them.
  const waiting = settings.hvArguments.length > 0 ? undefined : request.reserve?.take(options);
  if (waiting !== undefined) {
    request.debug("an appliance of the pool gets the drives");
    try {
      return await waiting.start(drives, signal);
    } catch (error) {
      if (error instanceof ApplianceError && (error.stage === "drive" || error.stage === "cancelled")) throw error;
      request.debug(`the pool's appliance did not start: ${(error as Error).message}`);
    }
  }
  const decoder = new TextDecoder();
  return startAppliance({
    ...options,
    drives,
    onConsole: (bytes) => request.applianceSaid(decoder.decode(bytes, { stream: true })),
    onDebug: (line) => request.debug(line),
    signal,
  });
}

/**
 * Starts an appliance with the handle's drives.
 * @throws LaunchError, with the console's end where there is one; CancelledError
 */
export async function attachAppliance(request: AttachRequest): Promise<Attachment> {
  const { settings, signal } = request;
  const drives = request.drives.map((drive) => withPermissions(drive, settings));
  request.progress(0, launchSteps);
  let appliance: RunningAppliance;
  try {
    appliance = await start(request, drives);
  } catch (error) {
    throw explain(error, signal);
  }
  const connection = Connection.over(appliance.channel);
  try {
    await connection.greeted();
  } catch (error) {
    const end = await processEnd(appliance);
    await appliance.stop();
    throw new LaunchError(`the daemon in the appliance did not greet: ${(error as Error).message}`, {
      cause: error,
      evidence: end.consoleTail,
      ...end,
    });
  }
  // A handle that nobody closes does not keep its program from ending.
  appliance.release();
  if (appliance.window !== undefined) connection.window = new TransferWindow(appliance.window);
  // Its daemon is ours.
  connection.hasExtensions = true;
  request.progress(launchSteps, launchSteps);
  // What its user has QEMU do besides may well write.
  let keepsNothing = drives.every(isReadOnly) && settings.hvArguments.length === 0;
  return {
    connection,
    pid: appliance.pid,
    processEnd: () => processEnd(appliance),
    addDrive(drive, target) {
      keepsNothing &&= isReadOnly(drive);
      return changing(appliance.addDrive(withPermissions(drive, settings), target));
    },
    removeDrive: (target) => changing(appliance.removeDrive(target)),
    keepsNothing: () => keepsNothing,
    stop() {
      if (keepsNothing) appliance.kill();
      return appliance.stop();
    },
  };
}
