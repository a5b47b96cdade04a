// npm run fork:record -- --out FILE [--block N] [-- COMMAND…]: records what a run reads of a live node's state at one
// block, so that the same run can be repeated without the node.
import { Command, InvalidArgumentError, Option } from "commander";
import { InputFailure } from "../../keeper/config/failure";
import { runChild } from "./childRun";
import { exitWith, parsePort } from "./commandLine";
import { recordTape, type RecordReport } from "./recordTape";
import { stopSignal } from "./stopSignal";
import { UPSTREAM_VARIABLE } from "./upstreamNode";

interface Options {
  readonly out: string;
  readonly block?: number | "latest" | "safe" | "finalized";
  readonly port: number;
  readonly json?: true;
}

const command = new Command("fork:record")
  .description(
    `Stand between a forking node and the node at ${UPSTREAM_VARIABLE}, pinned to one block, and write what was read as a tape.`,
  )
  .argument("[COMMAND...]", "a run to record; without it, records until Ctrl-C")
  .requiredOption("--out <file>", "the tape to write; gzipped if it ends in .gz")
  .addOption(
    new Option("--block <n>", "number or tag to pin (default: finalized on mainnet, else latest)").argParser(
      parseBlock,
    ),
  )
  .option("--port <n>", "port on 127.0.0.1; 0 for any free one", parsePort, 0)
  .option("--json", "print JSON lines instead of text")
  .exitOverride();

function parseBlock(text: string): number | string {
  if (/^(latest|safe|finalized)$/.test(text)) return text;
  const block = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(block)) return block;
  throw new InvalidArgumentError("a block is a number, or latest, safe, finalized.");
}

/** @returns the exit code: 1 if a read failed or the recorded command did. */
async function record(run: readonly string[], options: Options): Promise<number> {
  const upstreamUrl = process.env[UPSTREAM_VARIABLE];
  if (!upstreamUrl) {
    throw new InputFailure("UPSTREAM_MISSING", "there is no node to record from", {
      field: UPSTREAM_VARIABLE,
      remedy: "Set this environment variable to the address of a JSON-RPC node.",
    });
  }
  const json = options.json === true;
  const say = (event: object, text: string): void =>
    void process.stdout.write(`${json ? JSON.stringify(event) : text}\n`);
  const recorder = await recordTape({
    upstreamUrl,
    port: options.port,
    ...(options.block === undefined ? {} : { block: options.block }),
    onFailure: ({ method, message }) => process.stderr.write(`failed: ${message} (${method})\n`),
  });
  const { url, chainId, block } = recorder;
  const stopped = stopSignal();
  say({ event: "tape.recording", url, chainId, block }, `Recording chain ${chainId} at block ${block}: ${url}`);
  const stop = new AbortController();
  void stopped.then(() => stop.abort());
  const output = json ? process.stderr : process.stdout;
  let runCode: number | null = 0;
  try {
    if (run.length === 0) await stopped;
    else ({ code: runCode } = await runChild(run, recorder, { output, signal: stop.signal }));
    if (recorder.report().failures.total === 0) await recorder.save(options.out);
  } finally {
    await recorder.close();
  }
  const report = recorder.report();
  say({ event: "tape.recorded", ...report, run: runCode }, summary(report, options.out));
  return report.failures.total > 0 || runCode !== 0 ? 1 : 0;
}

function summary(report: RecordReport, file: string): string {
  const read = `${report.accounts} accounts, ${report.codes} codes, ${report.slots} slots from ${report.requests} requests`;
  if (report.failures.total > 0) return `${read}; ${report.failures.total} requests failed, so no tape was written`;
  return `${read}; wrote ${file}`;
}

void exitWith(() => {
  command.parse();
  return record(command.args, command.opts<Options>());
});
