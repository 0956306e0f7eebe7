const width = 46;
const spinner = "/-\\|";

/** Shows how far a call has come, on one line that goes away at the end. */
export class ProgressBar {
  readonly #began = Date.now();
  readonly #write: (text: string) => void;
  #turn = 0;
  #shown = false;

  /** `write`: shows text on the terminal. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Bound, so that it can be given to a call as it is. */
  readonly update = ({ position, total }: { readonly position: number; readonly total: number }): void => {
    const spin = spinner[this.#turn++ % spinner.length]!;
    this.#shown = true;
    if (total === 1 && position === 0) {
      this.#write(
        `\r${spin} --- [${"#--".repeat(width).slice(this.#turn % 3, (this.#turn % 3) + width)}] ${duration(Date.now() - this.#began)}`,
      );
      return;
    }
    const part = total > 0 ? Math.min(1, Math.max(0, position / total)) : 0;
    const filled = Math.round(part * width);
    const elapsed = Date.now() - this.#began;
    const left = part > 0 ? duration((elapsed / part) * (1 - part)) : "--:--";
    this.#write(
      `\r${spin} ${String(Math.floor(part * 100)).padStart(3)}% [${"#".repeat(filled)}${"-".repeat(width - filled)}] ${left}`,
    );
  };

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#write("\r\x1b[K");
  }
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
