// Holds the documents against the project: links lead somewhere, and TypeScript snippets compile.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { environment, root } from "./project.mjs";

const snippetFolder = join(root, ".cache/snippets");

function documentsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ["node_modules", "dist", ".git", ".cache", "api"].includes(entry.name) ? [] : documentsBelow(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

function deadLinks(path: string, text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\((?!\w+:)([^)#\s]+)[^)]*\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !existsSync(resolve(dirname(path), target)))
    .map((target) => `${relative(root, path)}: nothing is at ${target}`);
}

function writeSnippets(path: string, text: string): void {
  const name = relative(root, path).replaceAll("/", "-");
  [...text.matchAll(/^```ts\n([^]*?)^```/gm)].forEach(([, snippet = ""], index) => {
    writeFileSync(join(snippetFolder, `${name}-${index + 1}.ts`), `${snippet}export {};\n`);
  });
}

rmSync(snippetFolder, { recursive: true, force: true });
mkdirSync(snippetFolder, { recursive: true });
const problems: string[] = [];
for (const path of documentsBelow(root)) {
  const text = readFileSync(path, "utf8");
  problems.push(...deadLinks(path, text));
  writeSnippets(path, text);
}
const settings = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    noEmit: true,
    types: ["node"],
  },
  include: ["."],
};
writeFileSync(join(snippetFolder, "tsconfig.json"), JSON.stringify(settings));
const compiled = spawnSync("tsc", ["-p", snippetFolder], { encoding: "utf8", cwd: root, env: environment });
if (compiled.status !== 0) problems.push(compiled.stdout.trimEnd());
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
