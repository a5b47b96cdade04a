// npm run fork:serve -- FILE [-- COMMAND…]: replays a tape of recorded chain state for a forking node, until Ctrl-C or
// for the length of one command.
import { Command } from "commander";
import { runChild, type ChildEnd } from "./childRun";
import { exitWith, parsePort } from "./commandLine";
import { serveTape } from "./serveTape";
import { stopSignal } from "./stopSignal";
import { summarise } from "./tapeReport";

interface Options {
  readonly port: number;
  readonly report?: string;
  readonly lastLine?: string;
  readonly json?: true;
}

/** A command whose fork died may wait for ever; one that lives may still say what it has to say. */
const GRACE_AFTER_MISS_MS = 10_000;

const command = new Command("fork:serve")
  .description("Serve recorded chain state (tiller-tape/1) as the upstream of a fork. Unrecorded reads fail.")
  .argument("FILE", "the tape, plain or gzipped")
  .argument("[COMMAND...]", "a run on the tape; without it, serves until Ctrl-C")
  .option("--port <n>", "port on 127.0.0.1; 0 for any free one", parsePort, 0)
  .option("--report <file>", "keep the report of hits, zeros and misses in this file")
  .option("--last-line <text>", "the line with which COMMAND must end, or it failed whatever its exit status")
  .option("--json", "print JSON lines instead of text")
  .exitOverride();

/** @returns the exit code: 0, or 1 if anything was asked that the tape does not hold or the command failed. */
async function serve(file: string, run: readonly string[], options: Options): Promise<number> {
  const json = options.json === true;
  const say = (event: object, text: string): void =>
    void process.stdout.write(`${json ? JSON.stringify(event) : text}\n`);
  const dead = new AbortController();
  const server = await serveTape({
    file,
    port: options.port,
    ...(options.report === undefined ? {} : { reportFile: options.report }),
    onMiss: ({ method, message }) => {
      process.stderr.write(`miss: ${message} (${method})\n`);
      setTimeout(() => dead.abort(), GRACE_AFTER_MISS_MS).unref();
    },
  });
  const { url, chainId, block } = server;
  const stopped = stopSignal();
  say(
    { event: "tape.serving", url, chainId, block },
    `Serving chain ${chainId} at block ${block}: ${url}\n` +
      `TILLER_FORK_URL=${url} TILLER_FORK_CHAIN_ID=${chainId} TILLER_FORK_BLOCK=${block} runs Hardhat on it.`,
  );
  void stopped.then(() => dead.abort());
  const output = json ? process.stderr : process.stdout;
  let failure: string | null = null;
  try {
    if (run.length === 0) await stopped;
    else failure = failureOf(await runChild(run, server, { output, signal: dead.signal }), options.lastLine);
  } finally {
    await server.close();
  }
  const report = server.report();
  say({ event: "tape.report", commandFailure: failure, ...report }, summarise(report));
  if (failure !== null) process.stderr.write(`${failure}\n`);
  return report.misses.total > 0 || failure !== null ? 1 : 0;
}

function failureOf(ended: ChildEnd, wanted: string | undefined): string | null {
  if (ended.code !== 0) return `the command ended with ${ended.code === null ? "a signal" : `status ${ended.code}`}`;
  if (wanted !== undefined && ended.lastLine !== wanted) return `the command did not end with the line "${wanted}"`;
  return null;
}

void exitWith(() => {
  command.parse();
  const [file = "", ...run] = command.args;
  return serve(file, run, command.opts<Options>());
});
