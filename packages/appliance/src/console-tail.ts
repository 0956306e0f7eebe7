const MAX_BYTES = 16 * 1024;

/** The last 16 KiB of what a console printed. */
export class ConsoleTail {
  #pieces: Buffer[] = [];
  #length = 0;

  add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    while (this.#length - (this.#pieces[0]?.length ?? 0) >= MAX_BYTES)
      this.#length -= this.#pieces.shift()?.length ?? 0;
  }

  /** As text, without carriage returns and terminal control sequences. */
  text(): string {
    const text = Buffer.concat(this.#pieces).subarray(-MAX_BYTES).toString("utf8");
    return text
      .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|\u001bc|\r/g, "")
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")
      .trim();
  }
}
