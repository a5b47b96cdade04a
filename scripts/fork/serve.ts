// npm run fork:serve -- FILE: replays a tape of recorded chain state for a forking node, until Ctrl-C.
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { Failure } from "../../keeper/config/failure";
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

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError("a port is a number from 0 to 65535.");
  return port;
}

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
    `Serving chain ${chainId} at block ${block}: ${url}\nTILLER_FORK_URL=${url} TILLER_FORK_CHAIN_ID=${chainId} runs Hardhat on it. Ctrl-C stops and prints the report.`,
  );
  await stopped;
  const report = await server.close();
  say({ event: "tape.report", ...report }, summarise(report));
  return report.misses.total > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  try {
    command.parse();
    const [file = ""] = command.args;
    return await serve(file, command.opts<Options>());
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${error.line()}\n`);
    return error.exitCode;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
