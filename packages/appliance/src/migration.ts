import type { QmpClient } from "@guestfs/qemu";

/** Saving or loading a machine's state did not work. */
export class MigrationError extends Error {
  override readonly name: string = "MigrationError";
}

const MIGRATION_TIMEOUT_MS = 60_000;
// Bytes per second: the state is small and goes to a file, so nothing should hold it back.
const BANDWIDTH = 10_000_000_000;

// The memory is in a file of its own and stays there (QEMU QMP Reference Manual, MigrationCapability).
const capabilities = ["x-ignore-shared", "events"].map((capability) => ({ capability, state: true }));

function migrationEnd(qmp: QmpClient): { ended: Promise<void>; forget: () => void } {
  let forget = (): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    const stop = qmp.onEvent(({ event, data }) => {
      if (event !== "MIGRATION") return;
      if (data["status"] === "completed") resolve();
      else if (data["status"] === "failed" || data["status"] === "cancelled")
        reject(new MigrationError(`QEMU says that the transfer of its state has ${data["status"]}`));
    });
    const timer = setTimeout(() => {
      reject(new MigrationError(`the transfer of QEMU's state did not end in ${MIGRATION_TIMEOUT_MS / 1000} s`));
    }, MIGRATION_TIMEOUT_MS);
    forget = () => {
      stop();
      clearTimeout(timer);
    };
  });
  ended.catch(() => undefined);
  return { ended, forget };
}

/** Saves the state of a stopped machine, without its memory, to a unix socket. @throws QmpError, MigrationError */
export async function saveState(qmp: QmpClient, socketPath: string): Promise<void> {
  const { ended, forget } = migrationEnd(qmp);
  try {
    await qmp.execute("migrate-set-capabilities", { capabilities });
    await qmp.execute("migrate-set-parameters", { "max-bandwidth": BANDWIDTH });
    await qmp.execute("migrate", { uri: `unix:${socketPath}` });
    await ended;
  } finally {
    forget();
  }
}

/** Loads a state from a descriptor of QEMU. A state that can't be loaded ends QEMU. @throws QmpError, MigrationError */
export async function loadState(qmp: QmpClient, fd: number): Promise<void> {
  const { ended, forget } = migrationEnd(qmp);
  try {
    // Not one after the other: each answer would cost a turn.
    await Promise.all([
      qmp.execute("migrate-set-capabilities", { capabilities }),
      qmp.execute("migrate-incoming", { uri: `fd:${fd}` }),
    ]);
    await ended;
  } finally {
    forget();
  }
}
