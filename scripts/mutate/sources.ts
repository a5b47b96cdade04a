// The Solidity of the checkout and of its packages, as text, and who imports whom.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "@solidity-parser/parser";
import type { ASTNode } from "@solidity-parser/parser/dist/src/ast-types";

/** What the contract tests deploy. */
const FOLDERS = ["contracts", "test/models", "test/contracts/hostile"];

/** What is mutated: where money is decided on. */
const MUTATED = [/^contracts\/Vault\.sol$/, /^contracts\/(libraries|breaker|adapters)\/.*\.sol$/];

export type Sources = ReadonlyMap<string, string>;

export function filesBelow(root: string, folder: string, ending: string): string[] {
  const top = path.join(root, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file.split(path.sep).join("/")}`)
    .sort();
}

export function readSources(root: string): Sources {
  const files = FOLDERS.flatMap((folder) => filesBelow(root, folder, ".sol"));
  return new Map(files.map((file) => [file, readFileSync(path.join(root, file), "utf8")]));
}

export const isMutated = (file: string): boolean => MUTATED.some((pattern) => pattern.test(file));

function importsOf(file: string, source: string): string[] {
  return parse(source)
    .children.flatMap((node) => (node.type === "ImportDirective" ? [node.path] : []))
    .map((target) => (target.startsWith(".") ? path.posix.join(path.posix.dirname(file), target) : target));
}

/** A library of external functions is linked: who calls it keeps his own code whatever happens inside it. */
function isLinked(source: string): boolean {
  const definitions = parse(source).children.filter((node) => node.type === "ContractDefinition");
  const functions = definitions
    .flatMap((node) => node.subNodes as ASTNode[])
    .filter((node) => node.type === "FunctionDefinition");
  return (
    definitions.length > 0 &&
    definitions.every((node) => node.kind === "library") &&
    functions.some((node) => node.visibility === "external") &&
    functions.every((node) => node.visibility === "external" || node.visibility === "private")
  );
}

/** The files whose code a change of `file` can change, itself among them. */
export function dependentsOf(file: string, sources: Sources): string[] {
  const importers = new Map<string, string[]>();
  for (const [importer, source] of sources) {
    for (const target of importsOf(importer, source))
      importers.set(target, [...(importers.get(target) ?? []), importer]);
  }
  const found = new Set<string>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    if (!isLinked(sources.get(next) ?? "")) open.push(...(importers.get(next) ?? []));
  }
  return [...found].sort();
}
