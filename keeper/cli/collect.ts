// `tiller collect`: reads every source of the chain on aligned buckets of time, until Ctrl-C; or, with --once, now.
import { Command } from "commander";
import { chainOf, withStore } from "../app/assemble";
import { ChainCollecting, type CollectedBlock } from "../app/collecting";
import type { Chain } from "../chain/connect";
import { blockAt, headStream, type Head } from "../chain/heads";
import { garbage } from "../chain/failures";
import { ChainTime, wallTime } from "../collect/jobTime";
import { wallClock } from "../collect/clock";
import { llamaJobs } from "../collect/llamaJobs";
import { startScheduler, type Job } from "../collect/scheduler";
import { targetsOf } from "../collect/targets";
import { loadAddresses } from "../config/addresses";
import { WorldFailure } from "../config/failure";
import { loadConfig, type Config } from "../config/load";
import type { Sink } from "../events/events";
import { logSink } from "../events/logSink";
import type { Store } from "../store/records";
import { stopOnSignal } from "./interrupted";
import { wholeNumber } from "./optionValues";
import { printJson, table } from "./printing";

interface CollectOptions {
  readonly once?: boolean;
  readonly every?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Of one sweep, by the wall. */
const SWEEP_TIMEOUT_MS = 30_000;
const MAINTENANCE_SECONDS = 3_600;
const MAINTENANCE_TIMEOUT_MS = 600_000;

export function collectCommand(): Command {
  return new Command("collect")
    .description("read all sources of the chain every five minutes and store what they say, until stopped")
    .option("--once", "now, at the newest block; exit code 1 where a source failed")
    .option("--every <seconds>", "time between two sweeps, by the chain's clock; default: collect.everySeconds")
    .option("--config <file>", "config file")
    .option("--json", "with --once one JSON document, else log lines as JSON")
    .action(async (options: CollectOptions) => {
      const config = loadConfig({ file: options.config, env: process.env });
      const everySeconds =
        options.every === undefined ? config.collect.everySeconds : wholeNumber(options.every, "--every", 86_400);
      const format = options.json === true || !process.stderr.isTTY ? "json" : config.log.format;
      const level = options.once === true && config.log.level === "info" ? "silent" : config.log.level;
      const sink = logSink({ level, format });
      const signal = stopOnSignal();
      const addresses = loadAddresses(config.addresses);
      await withStore(config, sink, async (store) => {
        const chain = await chainOf(config, addresses, sink);
        try {
          const collecting = new ChainCollecting({
            chain,
            store: store.history,
            sources: targetsOf(addresses, config.collect.targets, { assetUsd: config.limits.assetUsd }).sources,
            finalityBlocks: config.chain.finalityBlocks,
            sink,
          });
          if (options.once === true) await collectOnce(chain, collecting, options);
          else await keepCollecting({ config, chain, store, collecting, everySeconds, sink, signal });
        } finally {
          chain.close();
        }
      });
    });
}

async function collectOnce(chain: Chain, collecting: ChainCollecting, options: CollectOptions): Promise<void> {
  const head = await blockAt(chain, "latest");
  if (head === null) throw garbage("eth_getBlockByNumber");
  const collected = await collecting.collect(head, Date.now());
  if (options.json === true) printJson(jsonOf(collected));
  else process.stdout.write(describe(collected));
  const [first] = collected.failures;
  if (first === undefined) return;
  throw new WorldFailure("SOURCES_FAILED", `${collected.failures.length} of the sources could not be read`, {
    field: `${first.source} ${first.subject}`,
    remedy: first.failure.remedy,
  });
}

async function keepCollecting(parts: {
  readonly config: Config;
  readonly chain: Chain;
  readonly store: Store;
  readonly collecting: ChainCollecting;
  readonly everySeconds: number;
  readonly sink: Sink;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { config, chain, store, collecting, everySeconds, sink, signal } = parts;
  const first = await blockAt(chain, "latest");
  if (first === null) throw garbage("eth_getBlockByNumber");
  const time = new ChainTime(first.timestamp);
  let newest: { readonly head: Head; readonly seenAt: number } = { head: first, seenAt: Date.now() };
  const jobs: Job[] = [
    {
      source: "chain",
      everySeconds,
      time,
      timeoutMs: SWEEP_TIMEOUT_MS,
      lastDone: await lastSweep(store, chain.chainId),
      work: async () => {
        const { at, readings, failures, stored } = await collecting.collect(newest.head, newest.seenAt);
        const counts = { readings: readings.length, failures: failures.length, stored };
        sink.emit({ name: "collect.swept", block: at.number, observedAt: at.timestamp, ...counts });
      },
    },
    {
      source: "store",
      everySeconds: MAINTENANCE_SECONDS,
      time: wallTime(wallClock),
      timeoutMs: MAINTENANCE_TIMEOUT_MS,
      lastDone: null,
      work: async () => void (await store.history.maintain(Math.floor(Date.now() / 1_000))),
    },
    ...(await llamaJobs(config.collect.defiLlama, store.history, { chainId: chain.chainId })),
  ];
  const { finished } = startScheduler(jobs, { sink, signal });
  for await (const head of headStream(chain, { pollMs: config.chain.pollMs, signal })) {
    newest = { head, seenAt: Date.now() };
    time.advance(head.timestamp);
  }
  await finished;
}

/** When the chain was read last, so that the time between is told as a gap. */
async function lastSweep(store: Store, chainId: number): Promise<number | null> {
  const ends = (await store.history.series()).filter((one) => one.chainId === chainId).map(({ last }) => last ?? 0);
  return ends.length === 0 ? null : Math.max(...ends);
}

function jsonOf({ at, readings, failures, ...counts }: CollectedBlock): object {
  return {
    block: at.number,
    blockHash: at.hash,
    observedAt: at.timestamp,
    ...counts,
    readings,
    failures: failures.map(({ source, subject, failure }) => ({ source, subject, ...failure.toJSON() })),
  };
}

function describe({ at, readings, failures, requests, stored }: CollectedBlock): string {
  const percent = (rate: number | null | undefined): string =>
    rate === null || rate === undefined ? "" : `${(100 * rate).toFixed(3)} %`;
  const usd = (amount: number | null | undefined): string =>
    amount === null || amount === undefined ? "" : Math.round(amount).toLocaleString("en-US");
  const head = ["source", "subject", "supplied, USD", "borrowed, USD", "supply APR", "borrow APR"];
  const rows = readings.map(({ source, subject, rates }) => [
    ...[source, subject, usd(rates?.suppliedUsd), usd(rates?.borrowedUsd)],
    ...[percent(rates?.supplyApr), percent(rates?.borrowApr)],
  ]);
  const lines = failures.map(({ source, subject, failure }) => `${source} ${subject}: ${failure.message}\n`);
  return `block ${at.number} of ${new Date(at.timestamp * 1_000).toISOString()}, ${requests} eth_call, ${stored} rows stored\n\n${table(head, rows, head.slice(2))}\n${lines.join("")}`;
}
