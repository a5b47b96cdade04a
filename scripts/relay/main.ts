// The local relay as a process: `node -r tsx/cjs scripts/relay/main.ts --node http://127.0.0.1:8545`.
import { Command, CommanderError } from "commander";
import { Failure } from "../../keeper/config/failure";
import { type ProducedBlock, startRelay } from "./relay";

const DEFAULT_BLOCK_MS = 2_000;
const DEFAULT_SECONDS_PER_BLOCK = 12;

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("relay")
    .description("Flashbots relay and block maker for a local development node")
    .requiredOption("--node <url>", "JSON-RPC address of anvil (--order fifo) or of a Hardhat node")
    .option("--port <number>", "port to listen on, 0 for any", "0")
    .option("--block-ms <number>", "wall milliseconds a block", String(DEFAULT_BLOCK_MS))
    .option("--seconds-per-block <number>", "chain seconds a block", String(DEFAULT_SECONDS_PER_BLOCK))
    .option("--json", "print one JSON object a line")
    .exitOverride();
  try {
    program.parse([...argv], { from: "user" });
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    throw failure;
  }
  const options = program.opts<{
    node: string;
    port: string;
    blockMs: string;
    secondsPerBlock: string;
    json?: boolean;
  }>();
  const print = (event: Record<string, unknown>, line: string): void => {
    process.stdout.write(`${options.json === true ? JSON.stringify(event) : line}\n`);
  };
  const relay = await startRelay({
    nodeUrl: options.node,
    port: Number(options.port),
    blockMs: Number(options.blockMs),
    secondsPerBlock: Number(options.secondsPerBlock),
    onBlock: (block) => {
      if (block.bundles.length + block.rejected.length + block.reorgedBlocks === 0) return;
      print({ name: "relay.block", ...block }, blockLine(block));
    },
    onTrouble: (failure) => {
      process.stderr.write(`${failure instanceof Failure ? failure.line() : String(failure)}\n`);
    },
  });
  print({ name: "relay.listening", url: relay.url }, `relay listening on ${relay.url}`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  await relay.stop();
  return 0;
}

function blockLine(block: ProducedBlock): string {
  const reorg = block.reorgedBlocks === 0 ? "" : ` after a reorg of ${block.reorgedBlocks}`;
  const rejected = block.rejected.map(({ bundle, reason }) => `, left out ${bundle.slice(0, 10)} (${reason})`).join("");
  return `block ${block.number}${reorg}: ${block.bundles.length} bundles${rejected}`;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (failure: unknown) => {
    process.stderr.write(`${failure instanceof Failure ? failure.line() : String(failure)}\n`);
    process.exitCode = failure instanceof Failure ? failure.exitCode : 1;
  },
);
