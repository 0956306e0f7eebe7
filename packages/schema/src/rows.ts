import { topics } from "./procedures/index.ts";
import type { Topic } from "./procedures/index.ts";
import type { Procedure } from "./procedure.ts";

/** Every call, in the order of the topics. */
export const procedures: readonly Procedure[] = Object.values(topics).flat();

/** Rows by wire name. */
export const procedureByName: ReadonlyMap<string, Procedure> = new Map(procedures.map((row) => [row.name, row]));

const topicByName: ReadonlyMap<string, Topic> = new Map(
  (Object.keys(topics) as Topic[]).flatMap((topic) => topics[topic].map((row): [string, Topic] => [row.name, topic])),
);

/** The topic that holds a call; `undefined` for an unknown name. */
export function topicOf(name: string): Topic | undefined {
  return topicByName.get(name);
}

/** Whether the row becomes a method of the public interface. */
export function isMethod(row: Procedure): boolean {
  const topic = topicOf(row.name);
  return topic !== "retired" && !(topic === "extension" && row.visibility === "internal");
}

/** Whether the library answers at once, so that the method returns a value and not a promise. */
export function isSynchronous(row: Procedure): boolean {
  return row.proc === undefined && row.immediate === true && row.hotplug !== true;
}
