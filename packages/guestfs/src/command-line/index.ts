/** What the command-line programs share; promises nothing to anyone else. @packageDocumentation */
export { askSecret } from "./ask-secret.ts";
export { addOption, checkLive } from "./attach-option.ts";
export type { AttachOption } from "./attach-option.ts";
export { CommandLineError, GivenUp } from "./command-line-error.ts";
export { fetchFile, putFileBack } from "./edit-file.ts";
export type { FetchedFile } from "./edit-file.ts";
export { getopt } from "./getopt.ts";
export type { OptionSpec } from "./getopt.ts";
export { inspectAndMount } from "./inspect-and-mount.ts";
export { parseKeySelector } from "./key-selector.ts";
export { mountOption, parseMount } from "./mount-option.ts";
export type { MountOption } from "./mount-option.ts";
export { isOwnFolder, makeOwnFolder } from "./own-folder.ts";
export { printable, printableJson, printableLines } from "./printable.ts";
export { readOnlyByDefault } from "./read-only-by-default.ts";
export { strerror } from "./strerror.ts";
export { resolveWindowsPath } from "./windows-path.ts";
