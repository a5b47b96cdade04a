// `tiller collect`: reads every source of the chain on aligned buckets of time, until Ctrl-C; or, with --once, now.
import { Command } from "commander";
import { chainOf } from "../app/assemble";
import { withStore } from "../app/withStore";
import { Collector, type CollectedOnce } from "../app/collector";
import { headStream } from "../chain/heads";
import { loadAddresses } from "../config/addresses";
import { WorldFailure } from "../config/failure";
import { loadConfig } from "../config/load";
import { logSink } from "../events/logSink";
import { stopOnSignal } from "./interrupted";
import { wholeNumber } from "./optionValues";
import { printJson, table } from "./printing";

interface CollectOptions {
  readonly once?: boolean;
  readonly every?: string;
  readonly config?: string;
  readonly json?: boolean;
}

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
          const collector = new Collector({ config, addresses, chain, store, sink });
          const heads = (until: AbortSignal) => headStream(chain, { pollMs: config.chain.pollMs, signal: until });
          if (options.once === true) report(await collector.once(), options);
          else await collector.run(signal, { everySeconds, heads });
        } finally {
          chain.close();
        }
      });
    });
}

function report(collected: CollectedOnce, options: CollectOptions): void {
  if (options.json === true) printJson(jsonOf(collected));
  else process.stdout.write(describe(collected));
  const [first] = collected.failures;
  if (first === undefined) return;
  throw new WorldFailure("SOURCES_FAILED", `${collected.failures.length} of the sources could not be read`, {
    field: `${first.source} ${first.subject}`,
    remedy: first.failure.remedy,
  });
}

function jsonOf({ at, readings, failures, ...counts }: CollectedOnce): object {
  return {
    block: at.number,
    blockHash: at.hash,
    observedAt: at.timestamp,
    ...counts,
    readings,
    failures: failures.map(({ source, subject, failure }) => ({ source, subject, ...failure.toJSON() })),
  };
}

function describe({ at, readings, failures, requests, stored, elsewhere }: CollectedOnce): string {
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
  const outcome = elsewhere ? "nothing stored: another process collects this chain" : `${stored} rows stored`;
  return `block ${at.number} of ${new Date(at.timestamp * 1_000).toISOString()}, ${requests} eth_call, ${outcome}\n\n${table(head, rows, head.slice(2))}\n${lines.join("")}`;
}
