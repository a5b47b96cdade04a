// Compiled contracts of this checkout, as Hardhat leaves them in artifacts/: creation code, linking, and the comparison
// of deployed code with what the sources compile to.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { getAddress, getBytes, hexlify } from "ethers";
import { InputFailure } from "../keeper/config/failure";

interface Range {
  readonly start: number;
  readonly length: number;
}

type LinkReferences = Record<string, Record<string, readonly Range[]>>;

export interface Artifact {
  /** `contracts/Vault.sol:Vault`. */
  readonly name: string;
  readonly creationCode: string;
  readonly runtimeCode: string;
  readonly linkReferences: LinkReferences;
  readonly runtimeLinkReferences: LinkReferences;
}

const ARTIFACTS = path.join(__dirname, "..", "artifacts");

function readJson(file: string): unknown {
  if (!existsSync(file)) {
    throw new InputFailure("ARTIFACTS_MISSING", `the contracts are not compiled: no ${path.basename(file)}`, {
      field: "artifacts",
      remedy: "Run `npx hardhat compile` first.",
    });
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

function folderOf(name: string): { folder: string; contract: string } {
  const [source = "", contract = ""] = name.split(":");
  return { folder: path.join(ARTIFACTS, source), contract };
}

/**
 * The artifact of `name`, a path from the root and a contract: `contracts/Vault.sol:Vault`.
 * @throws InputFailure ARTIFACTS_MISSING
 */
export function artifactOf(name: string): Artifact {
  const known = artifacts.get(name) ?? readArtifact(name);
  artifacts.set(name, known);
  return known;
}

const artifacts = new Map<string, Artifact>();

function readArtifact(name: string): Artifact {
  const { folder, contract } = folderOf(name);
  const read = readJson(path.join(folder, `${contract}.json`)) as {
    bytecode: string;
    deployedBytecode: string;
    linkReferences: LinkReferences;
    deployedLinkReferences: LinkReferences;
  };
  return {
    name,
    creationCode: read.bytecode,
    runtimeCode: read.deployedBytecode,
    linkReferences: read.linkReferences,
    runtimeLinkReferences: read.deployedLinkReferences,
  };
}

/** Names of the libraries that the contract calls at addresses of their own. */
export function librariesOf(artifact: Artifact): readonly string[] {
  return Object.entries(artifact.linkReferences).flatMap(([source, found]) =>
    Object.keys(found).map((library) => `${source}:${library}`),
  );
}

function placesOf(references: LinkReferences): readonly (readonly [string, Range])[] {
  return Object.entries(references).flatMap(([source, found]) =>
    Object.entries(found).flatMap(([library, ranges]) =>
      ranges.map((range) => [`${source}:${library}`, range] as const),
    ),
  );
}

/** Creation code with the addresses of the libraries filled in. */
export function link(artifact: Artifact, libraries: ReadonlyMap<string, string>): string {
  let code = artifact.creationCode;
  for (const [library, { start, length }] of placesOf(artifact.linkReferences)) {
    const address = libraries.get(library);
    if (address === undefined) throw new Error(`${artifact.name} is linked without ${library}`);
    code = code.slice(0, 2 + start * 2) + address.slice(2).toLowerCase() + code.slice(2 + (start + length) * 2);
  }
  return code;
}

/** Ranges of the runtime code that the constructor fills in. Only the compiler's own output knows them. */
function immutablesOf(name: string): readonly Range[] {
  const { folder, contract } = folderOf(name);
  const [source = ""] = name.split(":");
  const { buildInfo } = readJson(path.join(folder, `${contract}.dbg.json`)) as { buildInfo: string };
  const file = path.join(folder, buildInfo);
  const output = buildInfos.get(file) ?? (readJson(file) as BuildInfo);
  buildInfos.set(file, output);
  const found = output.output.contracts[source]?.[contract]?.evm.deployedBytecode.immutableReferences ?? {};
  return Object.values(found).flat();
}

interface BuildInfo {
  readonly output: {
    readonly contracts: Record<
      string,
      Record<string, { evm: { deployedBytecode: { immutableReferences?: Record<string, readonly Range[]> } } }>
    >;
  };
}
/** A build info has tens of megabytes; a check reads it for each of ten contracts. */
const buildInfos = new Map<string, BuildInfo>();

export type CodeComparison =
  | { readonly equal: true; /** Where the code finds its libraries. */ readonly libraries: ReadonlyMap<string, string> }
  | { readonly equal: false; readonly reason: string };

/**
 * Compares deployed code with the artifact's, byte for byte, metadata included, but for what a deployment fills in:
 * immutables, addresses of libraries, and a library's own address at its start.
 */
export function compareCode(artifact: Artifact, code: string): CodeComparison {
  if (code === "0x") return { equal: false, reason: "no code" };
  const libraries = new Map<string, string>();
  const deployed = getBytes(code);
  const expectedHex = artifact.runtimeCode.replace(/__\$[0-9a-f]{34}\$__/g, "0".repeat(40));
  const expected = getBytes(expectedHex);
  if (deployed.length !== expected.length) {
    return { equal: false, reason: `${deployed.length} bytes of code instead of ${expected.length}` };
  }
  for (const [library, { start, length }] of placesOf(artifact.runtimeLinkReferences)) {
    const address = getAddress(hexlify(deployed.slice(start, start + length)));
    const before = libraries.get(library);
    if (before !== undefined && before !== address) {
      return { equal: false, reason: `linked to two addresses for ${library}` };
    }
    libraries.set(library, address);
    deployed.fill(0, start, start + length);
  }
  // PUSH20 of zero at the start: Solidity's guard of a library against direct calls, filled with its own address.
  const isLibrary = expectedHex.startsWith(`0x73${"0".repeat(40)}`);
  const filledIn = [...immutablesOf(artifact.name), ...(isLibrary ? [{ start: 1, length: 20 }] : [])];
  for (const { start, length } of filledIn) {
    deployed.fill(0, start, start + length);
    expected.fill(0, start, start + length);
  }
  const at = deployed.findIndex((byte, index) => byte !== expected[index]);
  if (at < 0) return { equal: true, libraries };
  const { metadataStart } = metadataOf(expected);
  return {
    equal: false,
    reason:
      at >= metadataStart
        ? "same instructions, but compiled from sources that differ in comments or names (metadata)"
        : `differs from the compiled sources at byte ${at}`,
  };
}

/** The CBOR block at the end, whose length is in the last two bytes. */
function metadataOf(code: Uint8Array): { metadataStart: number } {
  const length = ((code.at(-2) ?? 0) << 8) + (code.at(-1) ?? 0);
  return { metadataStart: code.length - 2 - length };
}
