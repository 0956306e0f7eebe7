import type { HandlersOf } from "../context.ts";
import { fileAttribute } from "./file-attribute.ts";
import { fileContent } from "./file-content.ts";
import { fileCopy } from "./file-copy.ts";
import { fileNode } from "./file-node.ts";
import { fileTest } from "./file-test.ts";
import { fileType } from "./file-type.ts";

/** Files one by one. */
export const file: HandlersOf<"file"> = {
  ...fileTest,
  ...fileAttribute,
  ...fileContent,
  ...fileNode,
  ...fileCopy,
  ...fileType,
};
