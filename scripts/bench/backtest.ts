// `npm run bench:backtest`: how long a backtest takes: 40,000 hourly steps over nine markets, the strategies and the ceiling,
// as a price taker and with dilution; and how many steps a second the simplest strategy runs. Made-up history, forecasts and
// curves worked out before. Beside it a plain NumPy loop over the steps (vectorised over the positions) doing nothing but
// interest, where a Python with NumPy is there. --json for programs. Nothing here is a test: clocks vary.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { compare } from "../../keeper/backtest/compare";
import { namesOf, strategyOf } from "../../keeper/backtest/catalogue";
import { constantGas } from "../../keeper/backtest/gasPrices";
import { Ledger } from "../../keeper/backtest/ledger";
import { marketOf, type Market } from "../../keeper/backtest/market";
import { runBacktest } from "../../keeper/backtest/run";
import { RateSeries } from "../../keeper/backtest/series";
import { hold } from "../../keeper/backtest/strategies/hold";
import { table } from "../../keeper/cli/printing";
import { configSchema } from "../../keeper/config/schema";
import { seeded } from "./randomProblems";

const ROOT = path.join(__dirname, "../..");
const STEPS = 40_000;
const VENUES = 9;
const CAPITAL = 1e6;
const START = 1_600_041_600;
const LEAD_HOURS = 1_440;
const RUNS = 5;

/** Rates that move as those of stablecoin markets do: a slow level, a faster one, spikes. */
function madeUp(): RateSeries[] {
  return Array.from({ length: VENUES }, (_, v) => {
    const random = seeded(v + 1);
    let [level, fast, spike] = [0.8, 0, 0];
    const supplied = 2e8 * (v + 1);
    const rows = Array.from({ length: STEPS + LEAD_HOURS + 1 }, (_row, hour) => {
      level += 0.002 * (random() - 0.5) + 0.0005 * (0.8 - level);
      fast = 0.9 * fast + 0.02 * (random() - 0.5);
      spike = random() < 0.002 ? 0.12 * random() : 0.95 * spike;
      const used = Math.min(0.995, Math.max(0.3, level + fast + spike));
      const paid = used <= 0.9 ? (0.06 * used) / 0.9 : 0.06 + (0.6 * (used - 0.9)) / 0.1;
      return {
        observedAt: START + hour * 3600 - 700,
        availableAt: START + hour * 3600,
        suppliedUsd: supplied,
        borrowedUsd: supplied * used,
        supplyApr: paid * used * 0.9,
      };
    });
    return new RateSeries(`aave-${v}`, rows);
  });
}

function marketFor(series: readonly RateSeries[], priceTaker: boolean): Market {
  const from = START + LEAD_HOURS * 3600;
  return marketOf(series, {
    ...{ from, to: from + STEPS * 3600, stepSeconds: 3600, lagSeconds: 3600, priceTaker },
    ...{ maxGapSeconds: 604_800, capital: CAPITAL, gas: constantGas(15) },
  });
}

/** The seven that a person compares: one hold, the five rules, and the live decision. */
const SEVEN = ["hold:aave-0", "hold:aave-1", "equal-weight", "best-history", "highest-tvl", "risk-adjusted", "ewma"];

async function comparison(market: Market): Promise<number> {
  const { limits, forecast } = configSchema.parse({ chain: { rpcUrls: ["http://localhost"] } });
  const names = namesOf(market.venues).filter((name) => SEVEN.includes(name));
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const start = performance.now();
    const strategies = names.map((name) =>
      strategyOf(name, { venues: market.venues, limits, halfLifeHours: forecast.halfLifeHours }),
    );
    await compare(market, strategies, { capital: CAPITAL, costBps: 0, seed: 1 });
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

function simplest(market: Market): number {
  return timed(() => void runBacktest(market, hold("aave-0", 0), { capital: CAPITAL, costBps: 0 }));
}

/** Interest on a position in each market, and nothing else. */
function interest(market: Market): { readonly seconds: number; readonly final: number } {
  let final = 0;
  const seconds = timed(() => {
    const ledger = new Ledger(CAPITAL, VENUES);
    for (let v = 0; v < VENUES; v += 1) ledger.deposit(v, CAPITAL / VENUES);
    for (let k = 0; k < STEPS; k += 1) ledger.accrue(market.truth, k);
    final = ledger.total;
  });
  return { seconds, final };
}

type NumPy = { readonly ok: true; readonly seconds: number } | { readonly ok: false; readonly why: string };

function numpy(market: Market, final: number): NumPy {
  const own = path.join(ROOT, ".venv/bin/python");
  const python = process.env["PYTHON"] ?? (existsSync(own) ? own : "python3");
  const input = Buffer.concat(market.truth.map(({ growth }) => Buffer.from(growth.buffer)));
  const run = spawnSync(python, [path.join(__dirname, "accrual.py"), String(VENUES), String(CAPITAL)], { input });
  if ((run.error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    return { ok: false, why: `${python} is not there` };
  }
  if (run.status !== 0) return { ok: false, why: `${python} has no numpy (.ci/requirements.txt)` };
  const found = JSON.parse(run.stdout.toString()) as { seconds: number; final: number };
  if (Math.abs(found.final / final - 1) > 1e-9) throw new Error(`NumPy ends with ${found.final}, we with ${final}`);
  return { ok: true, seconds: found.seconds };
}

function timed(work: () => void): number {
  const times = Array.from({ length: 3 * RUNS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return median(times);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const series = madeUp();
  const [taker, diluted] = [marketFor(series, true), marketFor(series, false)];
  const takerSeconds = await comparison(taker);
  const dilutedSeconds = await comparison(diluted);
  const [takerRate, dilutedRate] = [STEPS / simplest(taker), STEPS / simplest(diluted)];
  const own = interest(taker);
  const other = numpy(taker, own.final);
  const about = { steps: STEPS, venues: VENUES, runs: RUNS, node: process.version, cpu: cpus()[0]?.model ?? "unknown" };
  const numpySeconds = other.ok ? other.seconds : null;
  if (values.json) {
    const figures = {
      takerSeconds,
      dilutedSeconds,
      takerRate,
      dilutedRate,
      interestSeconds: own.seconds,
      numpySeconds,
    };
    process.stdout.write(`${JSON.stringify({ ...about, ...figures })}\n`);
    return;
  }
  const strategies = `${SEVEN.length} strategies, all holds and the ceiling, seconds`;
  const rate = "simplest strategy, million steps a second";
  const rows = [
    [`${strategies}: price taker`, takerSeconds.toFixed(2)],
    [`${strategies}: diluted`, dilutedSeconds.toFixed(2)],
    [`${rate}: price taker`, (takerRate / 1e6).toFixed(2)],
    [`${rate}: diluted`, (dilutedRate / 1e6).toFixed(2)],
    ["interest alone, ms", (1000 * own.seconds).toFixed(2)],
    ["the same in NumPy, ms", other.ok ? (1000 * other.seconds).toFixed(2) : other.why],
    ["NumPy / ours", other.ok ? (other.seconds / own.seconds).toFixed(1) : ""],
  ];
  process.stdout.write(`${table(["", ""], rows, [""])}\n`);
  process.stdout.write(
    `${STEPS} hourly steps, ${VENUES} markets, median of ${RUNS}; Node ${about.node}, ${about.cpu}\n`,
  );
}

void main();
