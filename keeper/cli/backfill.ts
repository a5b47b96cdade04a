// `tiller backfill`: events of a pool, or what all sources said, over any range of blocks or time, in one process or shared by
// several.
import { Command } from "commander";
import { chainOf } from "../app/assemble";
import { storeOf } from "../app/withStore";
import type { Chain } from "../chain/connect";
import { steadfast } from "../chain/steadfast";
import { backfill, type BackfillReport } from "../collect/backfill";
import { gapsLeft, queueName, sharedBackfill, workOnJobs } from "../collect/backfillJobs";
import type { BlockRange } from "../collect/blockRanges";
import { isStop, persist, type Patience } from "../collect/patience";
import type { RangeWork } from "../collect/rangeSource";
import { makerOf, rangeSource, rangeSources, withSweeps, type RangeSourceMakers } from "../collect/rangeSources";
import { targetsOf } from "../collect/targets";
import { loadAddresses } from "../config/addresses";
import { loadConfig, type Config } from "../config/load";
import { silent } from "../events/events";
import type { JobQueue } from "../store/jobQueue";
import type { Store } from "../store/records";
import { blockRange, rangeEnd } from "./backfillRange";
import { backfillSubject, keyOf } from "./backfillSubject";
import { exitWith } from "./failing";
import { INTERRUPTED_EXIT, stopOnSignal } from "./interrupted";
import { chainIdOf, required, wholeNumber } from "./optionValues";
import { printJson } from "./printing";
import { ProgressDisplay } from "./progress";
import { endWithParent, startWorkers } from "./workerProcesses";

/** Some ten seconds of a busy pool's blocks: short beside a lease, long beside what taking a job costs. */
const JOB_BLOCKS = 10_000;
/** A dead worker's job waits so long. Much longer than a chunk takes, for a worker hands back what it cannot end. */
const LEASE_SECONDS = 60;
/** Failures of a job, lost leases included, after which it is reported. */
const JOB_RETRIES = 5;
const MOST_WORKERS = 64;

interface BackfillCommandOptions {
  readonly source?: string;
  readonly pool?: string;
  readonly every?: string;
  readonly from?: string;
  readonly to?: string;
  readonly workers: string;
  readonly share?: boolean;
  readonly work?: boolean;
  readonly jobBlocks: string;
  readonly lease: string;
  readonly chain?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export function backfillCommand(): Command {
  return new Command("backfill")
    .description("collect the events of a pool, or sweeps of all sources, over any range; goes on where it stopped")
    .option(
      "--source <name>",
      "uniswap-v3 or curve (events in the chain's logs), the-graph, or sweep (needs an archive node)",
    )
    .option("--pool <address>", "the pool whose events are collected")
    .option("--every <grid>", "of sweeps: seconds (300s) or blocks (25b) between two")
    .option("--from <block or date>", "first block, or the first at or after a date (UTC)")
    .option("--to <block or date>", "last block, or the last before a date, or final")
    .option("--workers <count>", "processes that share the work", "1")
    .option("--share", "let processes that were started with --work help, also on other machines")
    .option("--work", "work on backfills that other processes share out, until stopped")
    .option("--job-blocks <count>", "blocks that a worker takes at a time", String(JOB_BLOCKS))
    .option("--lease <seconds>", "how long a dead worker's job waits for another one", String(LEASE_SECONDS))
    .option("--chain <id>", "the chain's id, of which collect.targets alone are swept; default: the deployment's")
    .option("--config <file>", "config file")
    .option("--json", "one JSON document")
    .action(async (options: BackfillCommandOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const events = rangeSources({ theGraph: config.collect.theGraph, env: process.env });
      const swept = sweptSources(config, options);
      const sources = withSweeps(events, swept);
      const signal = stopOnSignal();
      try {
        if (options.work === true) await work(config, options, { sources, swept, signal });
        else await run(config, options, { sources, swept, signal });
      } catch (error) {
        if (!signal.aborted || !isStop(error)) throw error;
        exitWith(error, { debug: false, json: options.json === true });
        process.exitCode = INTERRUPTED_EXIT;
      }
    });
}

interface Patient {
  readonly signal: AbortSignal;
  readonly patience: Patience;
}

interface Surroundings {
  readonly sources: RangeSourceMakers<RangeWork>;
  readonly swept: () => Swept;
  readonly signal: AbortSignal;
}

type Swept = ReturnType<typeof targetsOf>["sources"];

async function run(config: Config, options: BackfillCommandOptions, around: Surroundings): Promise<void> {
  const started = performance.now();
  const { sources, signal } = around;
  const name = required(options.source, "--source", `Name one of: ${[...sources.keys()].join(", ")}.`);
  makerOf(sources, name);
  const subject = backfillSubject(name, options);
  const ends = {
    from: rangeEnd(required(options.from, "--from", "Name a block or a date."), "--from"),
    to: rangeEnd(required(options.to, "--to", "Name a block, a date, or final."), "--to"),
  };
  const workers = wholeNumber(options.workers, "--workers", MOST_WORKERS);
  const jobBlocks = wholeNumber(options.jobBlocks, "--job-blocks", Number.MAX_SAFE_INTEGER);
  const leaseSeconds = leaseOf(options);

  const display = new ProgressDisplay({ stream: process.stderr, quietUnlessTerminal: options.json === true });
  const patience = patienceShownOn(display);
  const result = await withChainAndStore(config, options, { signal, patience }, async (parts) => {
    const { chain, store } = parts;
    const key = await persist(() => keyOf(chain, name, { subject, swept: around.swept }), { signal, patience });
    const { finalityBlocks } = config.chain;
    const range: BlockRange = await persist(() => blockRange(steadfast(chain), ends, finalityBlocks), {
      signal,
      patience,
    });
    const common = {
      source: rangeSource(sources, chain, key),
      range,
      store: store.history,
      chain,
      finalityBlocks,
      signal,
      patience,
      onProgress: display.update.bind(display),
    };
    if (workers === 1 && options.share !== true) return backfill(common);
    const queue = await openQueue(store, chain, leaseSeconds);
    const others = startWorkers(workers - 1, workerArguments(options));
    try {
      return await sharedBackfill({
        ...common,
        queue,
        jobBlocks,
        sourceOf: (of) => rangeSource(sources, chain, of),
      });
    } finally {
      await others.stop();
    }
  }).finally(() => display.end());

  report(result, { json: options.json === true, seconds: (performance.now() - started) / 1000 });
  if (result.gaps.length > 0) throw gapsLeft(result.gaps);
}

async function work(config: Config, options: BackfillCommandOptions, around: Surroundings): Promise<void> {
  const signal = endWithParent(around.signal);
  const leaseSeconds = leaseOf(options);
  const patience = patienceShownOn(new ProgressDisplay({ stream: process.stderr, quietUnlessTerminal: true }));
  await withChainAndStore(config, options, { signal, patience }, async ({ chain, store }) => {
    const queue = await openQueue(store, chain, leaseSeconds);
    await workOnJobs(
      {
        queue,
        store: store.history,
        chain,
        sourceOf: (key) => rangeSource(around.sources, chain, key),
        signal,
        patience,
        // A worker of our own command is silent: its parent shows how far all are.
        onJob: ({ from, to }, outcome) => {
          if (!process.connected) process.stdout.write(`blocks ${from} to ${to}: ${outcome}\n`);
        },
      },
      async () => false,
    );
  });
}

async function withChainAndStore<T>(
  config: Config,
  options: BackfillCommandOptions,
  patient: Patient,
  action: (parts: { readonly chain: Chain; readonly store: Store }) => Promise<T>,
): Promise<T> {
  const chain = await persist(() => connect(config, options), patient);
  try {
    const store = await storeOf(config, silent);
    try {
      return await action({ chain, store });
    } finally {
      await store.close();
    }
  } finally {
    chain.close();
  }
}

/** As the keeper connects: what the config wants several endpoints to agree on is agreed on here too. */
function connect(config: Config, options: BackfillCommandOptions): Promise<Chain> {
  const of = options.chain === undefined ? loadAddresses(config.addresses) : { chainId: chainIdOf(options.chain) };
  return chainOf(config, of, silent);
}

/** The venues of the deployment and `collect.targets`, as `tiller collect` reads them; read once and when they are wanted. */
function sweptSources(config: Config, options: BackfillCommandOptions): () => Swept {
  let swept: Swept | null = null;
  return () => {
    if (swept !== null) return swept;
    const addresses = options.chain === undefined ? loadAddresses(config.addresses) : null;
    const { assetUsd } = config.limits;
    swept = targetsOf(addresses, config.collect.targets, { assetUsd }).sources;
    return swept;
  };
}

function openQueue(store: Store, chain: Chain, leaseSeconds: number): Promise<JobQueue> {
  return persist(() => store.jobQueue({ name: queueName(chain.chainId), leaseSeconds, retries: JOB_RETRIES }), {});
}

/** What a worker must be told again to work on the same chain and database. */
function workerArguments(options: BackfillCommandOptions): string[] {
  const { chain, config, lease } = options;
  return [
    ...["backfill", "--work", "--lease", lease],
    ...(chain === undefined ? [] : ["--chain", chain]),
    ...(config === undefined ? [] : ["--config", config]),
  ];
}

function leaseOf(options: BackfillCommandOptions): number {
  return wholeNumber(options.lease, "--lease", 3_600);
}

/** A node that fails now and then is no news; one that has to be waited for is. */
function patienceShownOn(display: ProgressDisplay): Patience {
  return { onPause: (failure) => display.note(`tiller: ${failure.line()} Trying again.`) };
}

function report(result: BackfillReport, as: { readonly json: boolean; readonly seconds: number }): void {
  const { key, range, final, chunks, rows, checksum, gaps, absent, collected, forgotten } = result;
  if (as.json) {
    const seconds = Number(as.seconds.toFixed(3));
    printJson({ ...key, ...range, final, chunks, rows, checksum, gaps, absent, collected, forgotten, seconds });
    return;
  }
  const tentative = range.to > final ? `, tentative above block ${final}` : "";
  const lines = [
    `${key.source} ${key.subject}, blocks ${range.from} to ${range.to}${tentative}`,
    `  ${rows} rows in ${chunks} chunks, SHA-256 ${checksum}`,
    `  collected now: ${collected.rows} rows of ${collected.blocks} blocks in ${as.seconds.toFixed(1)} s`,
    ...(forgotten === 0 ? [] : [`  ${forgotten} rows were reorganised away and forgotten`]),
    gaps.length === 0 ? "  no gap" : `  ${gaps.length} gaps:`,
    ...absent.map(
      ({ source, subject, code, blocks, from, to }) =>
        `  ${source} ${subject} absent at ${blocks} blocks from ${from} to ${to} (${code})`,
    ),
    ...gaps.map(({ from, to, reason }) => `    ${from} to ${to}${reason === null ? "" : `: ${reason}`}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
