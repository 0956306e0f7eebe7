// Holds every import of the packages against the layers of ARCHITECTURE.md.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import { packages } from "./packages.mjs";
import { root } from "./project.mjs";

/** What each package may import of the others. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "@guestfs/schema": [],
  "@guestfs/protocol": ["@guestfs/schema"],
  "@guestfs/qemu": [],
  "@guestfs/appliance": ["@guestfs/qemu", "@guestfs/protocol", "@guestfs/schema"],
  guestfs: ["@guestfs/appliance", "@guestfs/qemu", "@guestfs/protocol", "@guestfs/schema"],
  guestfsd: ["@guestfs/protocol", "@guestfs/schema"],
  guestfish: ["guestfs", "@guestfs/schema"],
  "guestfs-tools": ["guestfs", "guestfsd", "@guestfs/schema"],
  "@guestfs/codegen": ["@guestfs/schema"],
  "@guestfs/testkit": ["@guestfs/appliance", "@guestfs/protocol", "@guestfs/schema"],
};

/** Packages that another one brings along as a program, without importing it. */
const carried: Readonly<Record<string, readonly string[]>> = { guestfs: ["guestfsd"] };

/** Packages that do nothing but compute, so that they run anywhere. */
const pure = new Set(["@guestfs/schema", "@guestfs/protocol"]);

const problems: string[] = [];

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesBelow(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

/** Module names that a source imports or re-exports, types included. */
function importsOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const { module } = parseSync(path, text);
  return [
    ...module.dynamicImports.map(({ moduleRequest }) => text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
  ];
}

for (const { folder, name, dependencies } of packages) {
  const mayImport = allowed[name];
  if (mayImport === undefined) {
    problems.push(`${name} has no row in scripts/check-layers.ts`);
    continue;
  }
  for (const dependency of dependencies) {
    if (dependency in allowed && !mayImport.includes(dependency) && !carried[name]?.includes(dependency)) {
      problems.push(`${relative(root, folder)}/package.json: ${name} may not depend on ${dependency}`);
    }
  }
  const sources = join(folder, "src");
  for (const path of sourcesBelow(sources)) {
    const isTest = path.endsWith(".test.ts");
    const within = relative(sources, path);
    for (const specifier of importsOf(path)) {
      const complain = (why: string): void => {
        problems.push(`${relative(root, path)} imports ${specifier}: ${why}`);
      };
      if (specifier.startsWith(".")) {
        if (!resolve(path, "..", specifier).startsWith(`${sources}/`))
          complain("it leaves its package by the back door");
        continue;
      }
      const target = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
      if (
        target in allowed &&
        target !== name &&
        !mayImport.includes(target) &&
        !(isTest && target === "@guestfs/testkit")
      ) {
        complain(`${name} may import ${mayImport.join(", ") || "no other package"}`);
      }
      if (pure.has(name) && !isTest && !(target in allowed))
        complain(`${name} is pure: no Node modules, no dependencies`);
      if (target === "koffi" && !(name === "guestfsd" && within.startsWith("native/"))) {
        complain("only guestfsd/src/native calls C libraries");
      }
    }
  }
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
