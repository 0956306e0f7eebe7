// @ts-check
// Writes each published package's public interface to api/<package>.api.md, from the emitted declarations;
// with --check it fails when a report is out of date, or when something public has no docstring.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { packages } from "./packages.mjs";
import { root } from "./project.mjs";

const check = process.argv.includes("--check");
const reportFolder = join(root, "api");
const reportTempFolder = join(root, ".cache/api");
const silent = { logLevel: ExtractorLogLevel.None };

/** @param {import("./packages.mjs").Package} package_ */
function report({ folder }) {
  const name = basename(folder);
  const declarations = join(folder, "dist/index.d.ts");
  if (!existsSync(declarations)) return [`${name}: not built (npm run build)`];
  const configuration = ExtractorConfig.prepare({
    packageJsonFullPath: join(folder, "package.json"),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: declarations,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "es2023",
            lib: ["es2023", "esnext.disposable"],
            module: "nodenext",
            moduleResolution: "nodenext",
            strict: true,
            skipLibCheck: true,
            types: ["node"],
          },
          files: [declarations],
        },
      },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: silent,
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
          "ae-internal-missing-underscore": silent,
        },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
  const problems = /** @type {string[]} */ ([]);
  const result = Extractor.invoke(configuration, {
    localBuild: !check,
    messageCallback(message) {
      if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text);
      message.handled = true;
    },
  });
  const text = readFileSync(join(reportTempFolder, `${name}.api.md`), "utf8");
  for (const [, declaration] of text.matchAll(/^\/\/ @\w+ \(undocumented\)\n(.+)/gm)) {
    problems.push(`no docstring: ${declaration}`);
  }
  if (check && result.apiReportChanged)
    problems.push("the public interface changed: see VERSIONING.md, then npm run api");
  return problems.map((problem) => `${name}: ${problem}`);
}

mkdirSync(reportFolder, { recursive: true });
mkdirSync(reportTempFolder, { recursive: true });
const problems = packages.filter(({ published, library }) => published && library).flatMap(report);
rmSync(reportTempFolder, { recursive: true });
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
