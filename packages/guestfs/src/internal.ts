/** For the packages beside this one; promises nothing to anyone else. @packageDocumentation */
export { parseBoolean } from "./environment.ts";
export { MethodPlan } from "./method-plan.ts";
export type { ParsedCall } from "./method-plan.ts";
