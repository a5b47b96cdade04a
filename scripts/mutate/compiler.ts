// solc in this process, loaded once: sources as text in, artifacts as Hardhat reads them out. The checkout's files are
// never touched. Without the optimiser: a mutant's conduct counts and not its cost, and compiling takes a fraction.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Sources } from "./sources";

interface Contract {
  readonly abi: readonly unknown[];
  readonly evm: {
    readonly bytecode: Code;
    readonly deployedBytecode: Code;
  };
}

interface Code {
  readonly object: string;
  readonly linkReferences: unknown;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, Contract>>>>;
}

interface Solc {
  compile(input: string, callbacks: { import(file: string): { contents: string } | { error: string } }): string;
}

export type Compiled =
  | { readonly ok: true; readonly artifacts: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly error: string };

const OUTPUT = [
  "abi",
  "evm.bytecode.object",
  "evm.bytecode.linkReferences",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.linkReferences",
];
const EVERYTHING: readonly string[] = ["*"];

function artifactOf(file: string, name: string, { abi, evm }: Contract): string {
  return JSON.stringify({
    _format: "hh-sol-artifact-1",
    contractName: name,
    sourceName: file,
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
    linkReferences: evm.bytecode.linkReferences,
    deployedLinkReferences: evm.deployedBytecode.linkReferences,
  });
}

/**
 * @returns compiles `sources` and gives the artifacts of `files` (default: of all, packages included), by their path
 * in an artifacts folder.
 */
export function createCompiler(root: string): (sources: Sources, files?: readonly string[]) => Compiled {
  const fromRoot = createRequire(path.join(root, "package.json"));
  const solc = fromRoot("solc") as Solc;
  const packages = new Map<string, string>();
  const readPackage = (file: string): { contents: string } | { error: string } => {
    try {
      const contents = packages.get(file) ?? readFileSync(fromRoot.resolve(file), "utf8");
      packages.set(file, contents);
      return { contents };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };

  return (sources, files = EVERYTHING) => {
    // The rest is read as it is imported: a contract that nobody asked for is not even parsed.
    const asked = [...sources].filter(([file]) => files === EVERYTHING || files.includes(file));
    const read = (file: string): { contents: string } | { error: string } => {
      const contents = sources.get(file);
      return contents === undefined ? readPackage(file) : { contents };
    };
    const input = {
      language: "Solidity",
      sources: Object.fromEntries(asked.map(([file, content]) => [file, { content }])),
      settings: {
        evmVersion: "cancun",
        optimizer: { enabled: false },
        outputSelection: Object.fromEntries(files.map((file) => [file, { "*": OUTPUT }])),
      },
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as Output;
    const error = output.errors?.find(({ severity }) => severity === "error");
    if (error !== undefined) return { ok: false, error: error.formattedMessage };
    const artifacts = new Map<string, string>();
    for (const [file, contracts] of Object.entries(output.contracts ?? {})) {
      for (const [name, contract] of Object.entries(contracts)) {
        artifacts.set(`${file}/${name}.json`, artifactOf(file, name, contract));
      }
    }
    return { ok: true, artifacts };
  };
}

export function writeArtifacts(folder: string, artifacts: ReadonlyMap<string, string>): void {
  for (const [file, content] of artifacts) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), content);
  }
}

/** A folder with the unchanged contracts, into which each mutant is laid. */
export function freshArtifacts(folder: string, artifacts: ReadonlyMap<string, string>): void {
  removeArtifacts(folder);
  writeArtifacts(folder, artifacts);
}

export function removeArtifacts(folder: string): void {
  for (const leftover of [folder, `${folder}.results`]) rmSync(leftover, { recursive: true, force: true });
}
