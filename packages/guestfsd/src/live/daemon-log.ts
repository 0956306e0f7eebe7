import { writeSync } from "node:fs";

const heldMax = 1000;
const NOTICE = "<5>";

/** No name in the log moves a terminal's cursor, turns the direction of text or looks like another line. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/**
 * The daemon's log: lines on its standard error, which systemd hands to the journal. While filesystems are frozen the
 * journal can't be written, and who writes to it may have to wait for the thaw, so lines are held until then.
 */
export class DaemonLog {
  readonly #fd: number;
  #held: string[] | undefined;
  #dropped = 0;

  constructor(fd = 2) {
    this.#fd = fd;
  }

  /** Tells something that an administrator wants to find again, with the priority "notice" (sd-daemon(3)). */
  notice(text: string): void {
    this.line(`${NOTICE}${text}`);
  }

  line(text: string): void {
    if (!this.#held) this.#write(text);
    else if (this.#held.length < heldMax) this.#held.push(text);
    else this.#dropped++;
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) this.#write(line);
    if (this.#dropped > 0) this.notice(`${this.#dropped} more lines were not kept while filesystems were frozen`);
    this.#dropped = 0;
  }

  #write(text: string): void {
    try {
      writeSync(this.#fd, `${escapeControls(text)}\n`);
    } catch {
      // Nobody listens any more; that must not stop the work.
    }
  }
}
