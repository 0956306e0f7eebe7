import { DaemonError } from "./daemon-error.ts";

const lineLength = 76;
const bytesPerLine = (lineLength / 4) * 3;

/** Encodes bytes as they come, in lines of 76 characters. */
export class Base64Encoder {
  #held: Buffer = Buffer.alloc(0);

  push(data: Uint8Array): Buffer {
    const all = Buffer.concat([this.#held, data]);
    const whole = all.length - (all.length % bytesPerLine);
    let text = "";
    for (let at = 0; at < whole; at += bytesPerLine) text += `${all.toString("base64", at, at + bytesPerLine)}\n`;
    this.#held = Buffer.from(all.subarray(whole));
    return Buffer.from(text, "latin1");
  }

  /** What is left at the end. */
  end(): Buffer {
    return Buffer.from(this.#held.length > 0 ? `${this.#held.toString("base64")}\n` : "", "latin1");
  }
}

/** Decodes base64 as it comes; what is none of its characters is passed over. Padding may be followed by more. */
export class Base64Decoder {
  #held = "";

  push(data: Uint8Array): Buffer {
    const text =
      this.#held +
      Buffer.from(data.buffer, data.byteOffset, data.length)
        .toString("latin1")
        .replace(/[^A-Za-z0-9+/=]+/g, "");
    const whole = text.length - (text.length % 4);
    this.#held = text.slice(whole);
    const parts = text.slice(0, whole).match(/[^=]+={0,2}/g) ?? [];
    return Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
  }

  /** @throws DaemonError when the text ends within four characters that belong together */
  end(): void {
    if (this.#held !== "") throw new DaemonError("what was sent is no base64: it ends too early", "EINVAL");
  }
}
