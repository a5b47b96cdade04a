// npm run fork:record -- --out FILE [--block N] [-- COMMAND…]: records what a run reads of a live node's state at one
// block, so that the same run can be repeated without the node.
import { spawn } from "node:child_process";
import { Command, InvalidArgumentError, Option } from "commander";
import { InputFailure } from "../../keeper/config/failure";
import { exitWith, parsePort } from "./commandLine";
import { recordTape, type Recorder, type RecordReport } from "./recordTape";
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
  .passThroughOptions()
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
    throw new InputFailure("upstream.missing", "there is no node to record from", {
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
  const runCode =
    run.length === 0 ? await stopped.then(() => 0) : await Promise.race([runOn(recorder, run), stopped.then(() => 1)]);
  const report = recorder.report();
  if (report.failures.total === 0) await recorder.save(options.out);
  await recorder.close();
  say({ event: "tape.recorded", ...report, run: runCode }, summary(report, options.out));
  return report.failures.total > 0 || runCode !== 0 ? 1 : 0;
}

/** Runs the command with the recorder as its node; the real address stays here. */
function runOn(recorder: Recorder, [file = "", ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        [UPSTREAM_VARIABLE]: recorder.url,
        TILLER_FORK_URL: recorder.url,
        TILLER_FORK_CHAIN_ID: String(recorder.chainId),
        TILLER_FORK_BLOCK: String(recorder.block),
      },
    });
    child.once("error", (cause) =>
      reject(
        new InputFailure("record.command", `${file} cannot be started`, {
          field: "COMMAND",
          remedy: "Give a command that exists, after --.",
          cause,
        }),
      ),
    );
    child.once("exit", (code) => resolve(code ?? 1));
  });
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
