// `npm start`: the whole system on this machine, from nothing: a local chain with genuine protocols, a relay that makes
// its blocks, a market that moves its rates, the vault with a depositor's money, and the keeper with its database and
// page. Everything lives in the data folder and goes on from there at the next start. Ctrl-C stops it.
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { COLLECT_EVERY_SECONDS } from "../keeper/config/schema";
import { Failure, InputFailure, WorldFailure } from "../keeper/config/failure";
import type { ConfigInput } from "../keeper/config/schema";
import { startLocalChain, type LocalChain } from "./localnet/anvil";
import { startChild, type Child } from "./start/child";
import { lockFolder } from "./start/folderLock";
import { localKeeperKey, prepareGenesis, type Genesis } from "./start/genesis";
import { historyGrowth, notable } from "./start/notable";

const DEFAULT_PAGE_PORT = 8480;
const DEFAULT_BLOCK_MS = 2000;
/** A block of two seconds is five minutes on the chain: a day in under ten minutes, so that rates are seen to move. */
const DEFAULT_SECONDS_PER_BLOCK = 300;
const CHILD_PATIENCE_MS = 4000;
/** A keeper that dies is started again; one that keeps dying is not. */
const KEEPER_RESTARTS = 3;

interface StartOptions {
  readonly dataDir: string;
  readonly port: number | null;
  readonly blockMs: number;
  readonly secondsPerBlock: number;
  readonly seed: number;
}

function optionsOf(argv: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        "data-dir": { type: "string", default: process.env["TILLER_DATA_DIR"] ?? ".tiller" },
        port: { type: "string" },
        "block-ms": { type: "string", default: String(DEFAULT_BLOCK_MS) },
        "seconds-per-block": { type: "string", default: String(DEFAULT_SECONDS_PER_BLOCK) },
        seed: { type: "string", default: "1" },
      },
    });
    const whole = (name: string, text: string, least: number): number => {
      const value = Number(text);
      if (Number.isInteger(value) && value >= least) return value;
      throw new InputFailure("USAGE", `${text} is not a whole number of at least ${least}`, {
        field: `--${name}`,
        remedy: "Give a whole number.",
      });
    };
    return {
      dataDir: path.resolve(values["data-dir"]),
      port: values.port === undefined ? null : whole("port", values.port, 0),
      blockMs: whole("block-ms", values["block-ms"], 100),
      secondsPerBlock: whole("seconds-per-block", values["seconds-per-block"], 1),
      seed: whole("seed", values.seed, 0),
    };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new InputFailure("USAGE", (error as Error).message, {
      field: "command line",
      remedy: "Options: --data-dir, --port, --block-ms, --seconds-per-block, --seed.",
    });
  }
}

/** The parts in the order in which they were started; stopped the other way round. */
class System {
  private readonly parts: { readonly name: string; stop(): Promise<void> }[] = [];
  stopping = false;

  add(name: string, stop: () => Promise<void>): void {
    this.parts.push({ name, stop });
  }

  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    for (const part of this.parts.reverse()) {
      try {
        await part.stop();
      } catch (error) {
        process.stderr.write(`${part.name} did not stop cleanly: ${(error as Error).message}\n`);
      }
    }
  }
}

async function start(options: StartOptions, system: System): Promise<Promise<never>> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const folder = path.join(options.dataDir, "localnet");
  const logFolder = path.join(folder, "logs");
  const unlock = lockFolder(folder);
  system.add("lock", () => Promise.resolve(unlock()));

  const chain = await startLocalChain({ folder, port: 0 });
  system.add("chain", () => chain.stop());
  say(`chain      ${chain.url} (${chain.fresh ? "new" : "continued"})`);
  const genesis = await prepareGenesis(chain.url, folder, say);

  let broken: (failure: Failure) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (broken = reject));
  const watch = (child: Child): void => {
    void child.ended.then(({ code, signal, lastError }) => {
      if (system.stopping) return;
      broken(
        new WorldFailure(
          "PART_ENDED",
          `the ${child.name} ended with ${signal ?? code}${lastError === "" ? "" : `: ${lastError}`}`,
          {
            remedy: `See ${path.join(logFolder, `${child.name}.log`)}; npm start goes on where it stopped.`,
          },
        ),
      );
    });
  };

  const relayUrl = await startRelayProcess(chain, { options, logFolder, system, watch });
  say(
    `relay      ${relayUrl}, a block every ${options.blockMs / 1000} s, ${options.secondsPerBlock} s of chain time each`,
  );
  const market = startChild({
    name: "market",
    script: "scripts/localnet/market.ts",
    args: ["--url", chain.url, "--folder", folder, "--seed", String(options.seed), "--json"],
    logFolder,
    onLine: () => undefined,
  });
  system.add("market", () => market.stop(CHILD_PATIENCE_MS));
  watch(market);

  const configFile = path.join(folder, "tiller.config.json");
  const config = keeperConfig(options, { chain, relayUrl, genesis, port: await pagePort(options.port) });
  writeFileSync(configFile, `${JSON.stringify(config, null, 2)}\n`);
  startKeeper(configFile, { logFolder, system, say, broken: (failure) => broken(failure) });
  return failed;
}

async function startRelayProcess(
  chain: LocalChain,
  context: {
    readonly options: StartOptions;
    readonly logFolder: string;
    readonly system: System;
    readonly watch: (child: Child) => void;
  },
): Promise<string> {
  const { options } = context;
  let listening: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => (listening = resolve));
  const relay = startChild({
    name: "relay",
    script: "scripts/relay/main.ts",
    args: [
      "--node",
      chain.url,
      "--block-ms",
      String(options.blockMs),
      "--seconds-per-block",
      String(options.secondsPerBlock),
      "--json",
    ],
    logFolder: context.logFolder,
    onLine: (line) => {
      const event = parsed(line);
      if (event?.["name"] === "relay.listening") listening(String(event["url"]));
    },
  });
  context.system.add("relay", () => relay.stop(CHILD_PATIENCE_MS));
  const ended = relay.ended.then(({ lastError }) => {
    throw new WorldFailure("PART_ENDED", `the relay did not start: ${lastError}`, {
      remedy: "See relay.log in the localnet's logs.",
    });
  });
  const answer = await Promise.race([url, ended]);
  ended.catch(() => undefined);
  context.watch(relay);
  return answer;
}

function startKeeper(
  configFile: string,
  context: {
    readonly logFolder: string;
    readonly system: System;
    readonly say: (line: string) => void;
    readonly broken: (failure: Failure) => void;
  },
): void {
  const { system, say } = context;
  const growth = historyGrowth();
  let current: Child;
  let restarts = 0;
  const launch = (): void => {
    current = startChild({
      name: "keeper",
      script: "keeper/cli/main.ts",
      args: ["run", "--config", configFile],
      env: { TILLER_KEEPER_KEY: localKeeperKey(), LOG_FORMAT: "json", LOG_LEVEL: "info", NODE_ENV: "production" },
      logFolder: context.logFolder,
      onLine: (line) => {
        const event = parsed(line);
        const text = event === null ? null : (notable(event) ?? growth(event));
        if (text !== null) say(text);
      },
    });
    void current.ended.then(({ code, signal, lastError }) => {
      if (system.stopping) return;
      const how = `the keeper ended with ${signal ?? code}${lastError === "" ? "" : `: ${lastError}`}`;
      if (code === 2 || restarts >= KEEPER_RESTARTS) {
        context.broken(new WorldFailure("PART_ENDED", how, { remedy: "See keeper.log in the localnet's logs." }));
        return;
      }
      restarts += 1;
      say(`${how}; starting it again`);
      launch();
    });
  };
  launch();
  system.add("keeper", () => current.stop(CHILD_PATIENCE_MS));
}

function keeperConfig(
  options: StartOptions,
  at: { readonly chain: LocalChain; readonly relayUrl: string; readonly genesis: Genesis; readonly port: number },
): ConfigInput {
  return {
    dataDir: options.dataDir,
    // Blocks come fast here and nothing undoes them but a relay that is told to.
    chain: { rpcUrls: [at.chain.url], pollMs: Math.min(250, options.blockMs / 4), finalityBlocks: 3 },
    addresses: at.genesis.addressFile,
    relays: [{ name: "local", url: at.relayUrl }],
    // A block that is longer than a bucket would leave others empty.
    collect: { everySeconds: Math.max(COLLECT_EVERY_SECONDS, options.secondsPerBlock) },
    limits: { cooldownSeconds: 12 * options.secondsPerBlock, deadlineSeconds: 20 * options.secondsPerBlock },
    serve: { port: at.port },
  };
}

/** The usual port, or any free one where that is taken and nobody asked for it. */
async function pagePort(asked: number | null): Promise<number> {
  if (asked !== null) return asked;
  return (await isFree(DEFAULT_PAGE_PORT)) ? DEFAULT_PAGE_PORT : 0;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

async function main(): Promise<void> {
  const system = new System();
  let stop: (reason: "signal") => void = () => undefined;
  const signalled = new Promise<"signal">((resolve) => (stop = resolve));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop("signal"));
  try {
    const options = optionsOf(process.argv.slice(2));
    const running = start(options, system).then((failed) => failed);
    await Promise.race([signalled, running]);
    process.stdout.write("\nstopping\n");
  } catch (error) {
    process.stderr.write(
      `npm start: ${error instanceof Failure ? error.line() : String((error as Error).stack ?? error)}\n`,
    );
    process.exitCode = error instanceof Failure ? error.exitCode : 1;
  } finally {
    await system.stop();
  }
  process.exit();
}

void main();
