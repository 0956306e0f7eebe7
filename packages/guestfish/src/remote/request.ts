import type { ByteString } from "../byte-string.ts";
import { version } from "../version.ts";
import { FrameFault } from "./frame.ts";

/** What both ends say first. Only the same version understands the rest, as with the stock shell. */
export function greeting(): string {
  return `guestfish ${version()}`;
}

/** A command to run; without words: what the options of `--listen` ask for. */
export interface RunRequest {
  readonly words: readonly ByteString[];
  /** Its failure ends the listening guestfish (guestfish(1), EXIT ON ERROR BEHAVIOUR). */
  readonly exitOnError: boolean;
  readonly progressBars: boolean;
}

/** How a request ended. */
export interface RunResult {
  readonly ok: boolean;
  /** The listening guestfish has closed its disks and ends. */
  readonly leaving: boolean;
}

/** Reads a request; throws {@link FrameFault} for anything else. */
export function parseRequest(body: Buffer): RunRequest {
  const { words, exitOnError, progressBars } = parseObject(body);
  if (!isTexts(words) || typeof exitOnError !== "boolean" || typeof progressBars !== "boolean")
    throw new FrameFault("this is no request");
  return { words, exitOnError, progressBars };
}

/** Reads a result; throws {@link FrameFault} for anything else. */
export function parseResult(body: Buffer): RunResult {
  const { ok, leaving } = parseObject(body);
  if (typeof ok !== "boolean" || typeof leaving !== "boolean") throw new FrameFault("this is no result");
  return { ok, leaving };
}

/** Reads completions; throws {@link FrameFault} for anything else. */
export function parseCompletions(body: Buffer): readonly [string[], string] {
  const { offers, typed } = parseObject(body);
  if (!isTexts(offers) || typeof typed !== "string") throw new FrameFault("these are no completions");
  return [offers, typed];
}

function parseObject(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new FrameFault("this is no object", { cause: error });
  }
  if (typeof value !== "object" || value === null) throw new FrameFault("this is no object");
  return value as Record<string, unknown>;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
