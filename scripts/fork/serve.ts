// npm run fork:serve -- FILE: replays a tape of recorded chain state for a forking node, until Ctrl-C.
import { Command } from "commander";
import { exitWith, parsePort } from "./commandLine";
import { serveTape } from "./serveTape";
import { summarise } from "./tapeReport";
import { stopSignal } from "./stopSignal";

interface Options {
  readonly port: number;
  readonly report?: string;
  readonly json?: true;
}

const command = new Command("fork:serve")
  .description("Serve recorded chain state (tiller-tape/1) as the upstream of a fork. Unrecorded reads fail.")
  .argument("FILE", "the tape, plain or gzipped")
  .option("--port <n>", "port on 127.0.0.1; 0 for any free one", parsePort, 0)
  .option("--report <file>", "keep the report of hits, zeros and misses in this file")
  .option("--json", "print JSON lines instead of text")
  .exitOverride();

/** @returns the exit code: 0, or 1 if anything was asked that the tape does not hold. */
async function serve(file: string, options: Options): Promise<number> {
  const json = options.json === true;
  const say = (event: object, text: string): void =>
    void process.stdout.write(`${json ? JSON.stringify(event) : text}\n`);
  const server = await serveTape({
    file,
    port: options.port,
    ...(options.report === undefined ? {} : { reportFile: options.report }),
    onMiss: ({ method, message }) => process.stderr.write(`miss: ${message} (${method})\n`),
  });
  const { url, chainId, block } = server;
  const stopped = stopSignal();
  say(
    { event: "tape.serving", url, chainId, block },
    `Serving chain ${chainId} at block ${block}: ${url}\nTILLER_FORK_URL=${url} TILLER_FORK_CHAIN_ID=${chainId} TILLER_FORK_BLOCK=${block} runs Hardhat on it. Ctrl-C stops and prints the report.`,
  );
  await stopped;
  const report = await server.close();
  say({ event: "tape.report", ...report }, summarise(report));
  return report.misses.total > 0 ? 1 : 0;
}

void exitWith(() => {
  command.parse();
  const [file = ""] = command.args;
  return serve(file, command.opts<Options>());
});
