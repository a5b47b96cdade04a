// `npm run size`: how large the contracts are, beside the chain's limits (EIP-170 for what is deployed, EIP-3860 for what
// deploys it); fails where one is over. Libraries that are compiled into others are left out.
import { artifacts } from "hardhat";
import { table } from "../../keeper/cli/printing";

const MOST_RUNTIME_BYTES = 24_576;
const MOST_CREATION_BYTES = 2 * MOST_RUNTIME_BYTES;
/** What is left of a library without a function that can be called from outside. */
const EMPTY_LIBRARY_BYTES = 100;

const bytesOf = (code: string): number => (code.length - 2) / 2;
const grouped = (value: number): string => value.toLocaleString("en-US");

interface Size {
  readonly name: string;
  readonly runtime: number;
  readonly creation: number;
}

async function sizes(): Promise<Size[]> {
  const names = (await artifacts.getAllFullyQualifiedNames()).filter((name) => name.startsWith("contracts/"));
  const all = await Promise.all(
    names.map(async (name): Promise<Size> => {
      const { contractName, deployedBytecode, bytecode } = await artifacts.readArtifact(name);
      return { name: contractName, runtime: bytesOf(deployedBytecode), creation: bytesOf(bytecode) };
    }),
  );
  return all.filter(({ runtime }) => runtime > EMPTY_LIBRARY_BYTES).sort((a, b) => b.runtime - a.runtime);
}

async function main(): Promise<void> {
  const all = await sizes();
  const head = ["contract", "runtime bytes", "room", "creation bytes", "room"];
  const rows = all.map(({ name, runtime, creation }) => [
    name,
    ...[runtime, MOST_RUNTIME_BYTES - runtime, creation, MOST_CREATION_BYTES - creation].map(grouped),
  ]);
  process.stdout.write(`${table(head, rows, head.slice(1))}\n`);
  const over = all.filter(({ runtime, creation }) => runtime > MOST_RUNTIME_BYTES || creation > MOST_CREATION_BYTES);
  if (over.length === 0) return;
  process.stdout.write(`Over the chain's limit: ${over.map(({ name }) => name).join(", ")}\n`);
  process.exitCode = 1;
}

void main();
