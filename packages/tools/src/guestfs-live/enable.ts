import { ToolError } from "../tool-error.ts";
import { addChannels, removeChannels } from "./channels.ts";
import { withLibvirt } from "./domain.ts";
import type { Domain } from "./domain.ts";
import { lookUp } from "./found-domain.ts";
import { addWindow, removeWindow } from "./window.ts";

/** What a domain is to have. */
export interface EnableOptions {
  /** How many channels. */
  readonly channels: number;
  /** Whether it gets a window, too. */
  readonly window: boolean;
}

/** Gives a domain channels: now, when it runs, and for its next start; and, as it runs, a window. */
export async function enable(domain: Domain, { channels, window }: EnableOptions): Promise<void> {
  const { name } = domain;
  await withLibvirt(async () => {
    const found = await lookUp(domain);
    const { active } = found;
    if (window && !active)
      throw new ToolError(`${name} is off, and a machine has a window while it runs: leave out --window, or start it`);
    const added = await addChannels(domain, found, channels);
    if (window && found.window === undefined) {
      await addWindow(domain, await lookUp(domain));
      added.push("a window");
    }
    const had = [channels === 1 ? "its channel" : `${channels} channels`, ...(window ? ["its window"] : [])];
    if (added.length === 0) console.log(`${name} has ${had.join(" and ")} already`);
    else console.log(`${name} has ${added.join(", ")}${active ? "" : ", from its next start on"}`);
  });
}

/**
 * Takes its window from a domain, and all channels for guestfsd: now, when it runs, and for its next start.
 * @param only - what to take: both, or its window alone
 */
export async function disable(domain: Domain, only: "all" | "window"): Promise<void> {
  const { name } = domain;
  await withLibvirt(async () => {
    const found = await lookUp(domain);
    const lost: string[] = [];
    if (found.window !== undefined) {
      await removeWindow(domain, found.uuid, found.window);
      lost.push("its window");
    }
    if (only === "all") lost.push(...(await removeChannels(domain, found)));
    if (lost.length === 0) console.log(`${name} has no ${only === "all" ? "channel for guestfsd" : "window"}`);
    else console.log(`${name} has lost ${lost.join(", ")}`);
  });
}
