/** Something that the person at the keyboard can see to; `message` says what, without the program's name. */
export class ToolError extends Error {}

/** The command line is wrong. */
export class UsageError extends ToolError {}
