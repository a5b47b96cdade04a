// Writes a data set of reserves that fill up, rates that collapse and prices that lose their peg to the folder that is named, and as JSON
// what TypeScript makes of it: labels of events at every hour, and scores of probabilities, for a cross-check in Python.
import { depegHours, eventHours, isThin, type EventHours } from "../../keeper/backtest/forecasts/eventHours";
import { eventScoreOf, type Foretold } from "../../keeper/backtest/forecasts/eventScores";
import { columnsOf, HOUR, hoursOf, type AskedHours } from "../../keeper/backtest/forecasts/hours";
import { priceHoursOf } from "../../keeper/backtest/forecasts/priceHours";
import { climatologyOf, tableOf } from "../../keeper/backtest/forecasts/pastFrequency";
import { POOL_STATE } from "../../keeper/collect/poolFiles";
import { writeDataset } from "../../keeper/forecast/dataset";
import { importedDollars, importedState } from "../../keeper/forecast/dollarPairs";
import { PegColumns } from "../../keeper/forecast/pegFeatures";
import type { LenderEvent } from "../../keeper/forecast/riskModel";
import type { HistoryRow, HistoryStore, SeriesName } from "../../keeper/store/historyRecords";
import type { PoolStateRow, PoolSubject } from "../../keeper/store/poolFileRecords";
import { seeded } from "../../scripts/bench/randomProblems";

const BEGIN = 1_700_002_800;
const HOURS = 2_400;
/** Rows before it are the past that frequencies are counted in. */
const SPLIT = BEGIN + 1_600 * HOUR;
const NAMES = ["aave-v3-usdc", "aave-v3-dai", "aave-v2-usdt"];

const EVENTS: readonly { readonly name: string; readonly kind: LenderEvent; readonly horizonHours: number }[] = [
  { name: "apr-collapse-7d", kind: "apr-collapse", horizonHours: 168 },
  { name: "exit-illiquidity-24h", kind: "exit-illiquidity", horizonHours: 24 },
  { name: "exit-illiquidity-7d", kind: "exit-illiquidity", horizonHours: 168 },
];

/** Utilisation that reverts and now and then jumps over 95 %; some hours nothing happens, some are missing; begins under 10 M USD. */
function rowsOf(seed: number): HistoryRow[] {
  const random = seeded(seed);
  let [used, observedAt] = [0.85, BEGIN - 300];
  return Array.from({ length: HOURS }, (_, k) => {
    const jumps = random() < 0.008;
    if (random() > 0.08) {
      used = Math.min(0.995, jumps ? 0.97 : used + 0.06 * (0.84 - used) + 0.03 * (random() - 0.5));
      observedAt = BEGIN + k * HOUR - 300;
    }
    const suppliedUsd = k < 100 ? 5e6 : 1e9;
    const apr = used < 0.9 ? 0.05 * used : 0.05 * used + 1.5 * (used - 0.9);
    return {
      ...{ observedAt, availableAt: BEGIN + k * HOUR, block: k, blockHash: null, source: "made-up" },
      ...{ suppliedUsd, borrowedUsd: suppliedUsd * used, supplyApr: apr, borrowApr: apr * 1.2, index: null, flags: 0 },
    };
  }).filter(() => random() > 0.02);
}

const POOLS: readonly PoolSubject[] = ["v3-dai-usdc-1bp", "v3-usdc-usdt-1bp"].map((subject) => ({
  ...{ chainId: 1, source: POOL_STATE, subject },
}));

/** Ticks that come back to par and are now and then pushed off it; some hours are missing, so that a state grows old. */
function statesOf(of: PoolSubject, seed: number): PoolStateRow[] {
  const random = seeded(seed);
  const par = of.subject.includes("dai") ? -276_325 : 0;
  let off = 0;
  return Array.from({ length: HOURS }, (_, k) => {
    off = 0.9 * off + 4 * (random() - 0.5) + (random() < 0.01 ? 18 * Math.sign(random() - 0.5) : 0);
    const at = BEGIN + k * HOUR;
    const state = JSON.stringify({ tick: String(par + Math.round(off)), liquidity: "4303942343270084" });
    return { ...of, block: k, observedAt: at, availableAt: at, state };
  }).filter((_, k) => k === 0 || random() > 0.02);
}

const STATES = new Map(POOLS.map((pool, k) => [pool.subject, statesOf(pool, k + 11)]));

const ROWS = new Map(NAMES.map((name, k) => [name, rowsOf(k + 1)]));

const store = {
  async *history({ name }: SeriesName) {
    yield ROWS.get(name) ?? [];
  },
  poolFiles: {
    async *states({ subject }: PoolSubject) {
      yield STATES.get(subject) ?? [];
    },
  },
} as unknown as HistoryStore;

interface Labelled {
  readonly hours: AskedHours;
  readonly events: EventHours;
}

/** Of rows after the split, with probabilities that are no model's: what matters is that both languages score them alike. */
function scored(labelled: readonly Labelled[], horizonHours: number): object {
  const rows = labelled.flatMap(({ hours, events }, series) =>
    Array.from({ length: hours.count }, (_, k) => ({ series, k, at: hours.from + k * HOUR, events })).filter(
      ({ k, at }) => isThin(at) && events.asked[k] === 1 && events.fresh[k] === 1 && events.usable[k] === 1,
    ),
  );
  const past = rows.filter(({ at }) => at + 2 * horizonHours * HOUR <= SPLIT);
  const after = rows.filter(({ at }) => at >= SPLIT);
  const rule = ({ k, events }: (typeof rows)[number]): number => events.rule[k] as number;
  const came = ({ k, events }: (typeof rows)[number]): number => events.happens[k] as number;
  const columns = { series: past.map(({ series }) => series), rule: past.map(rule), happens: past.map(came) };
  const [climatology, table] = [climatologyOf(columns, 0), tableOf(columns) ?? (() => NaN)];
  const random = seeded(5);
  const foretold: Foretold = {
    series: Int32Array.from(after, ({ series }) => series),
    at: Float64Array.from(after, ({ at }) => at),
    happens: Uint8Array.from(after, came),
    quiet: Uint8Array.from(after, ({ k, events }) => events.quiet[k] as number),
    // Of few different values: rows of the same probability count together.
    model: Float64Array.from(after, (row) => Math.round(20 * (0.3 * random() + 0.5 * came(row))) / 40),
    climatology: Float64Array.from(after, ({ series }) => climatology(series)),
    rule: Float64Array.from(after, rule),
    table: Float64Array.from(after, (row) => table(rule(row))),
  };
  const { series, at, model, climatology: usual, table: said } = foretold;
  return {
    ...{ past: past.length, series: [...series], at: [...at], model: [...model] },
    ...{ climatology: [...usual], table: [...(said ?? [])] },
    score: eventScoreOf(foretold, { classes: [0.01, 0.05], seed: 1 }),
  };
}

/** In the data set's order. */
function lenders(kind: LenderEvent, horizonHours: number): Labelled[] {
  const all = new Map([...ROWS].map(([name, rows]) => [name, columnsOf(rows)]));
  return [...NAMES].sort().map((series) => {
    const hours = hoursOf(series, all, { from: 0, to: Infinity });
    if (hours === null) throw new Error("no hours");
    return { hours, events: eventHours(hours, { kind, horizonHours }) };
  });
}

function pairs(horizonHours: number): Labelled[] {
  return POOLS.map((pool) => {
    const decimals = importedDollars(pool);
    if (decimals === null) throw new Error("no dollars");
    const columns = new PegColumns(decimals);
    columns.add((STATES.get(pool.subject) ?? []).map(importedState));
    const hours = priceHoursOf(pool.subject, columns, Infinity);
    if (hours === null) throw new Error("no hours");
    return { hours, events: depegHours(hours, horizonHours) };
  });
}

function told(name: string, horizonHours: number, labelled: readonly Labelled[]): object {
  const series = labelled.map(({ hours, events }) => ({
    ...{ name: hours.name, from: hours.from, happens: [...events.happens], asked: [...events.asked] },
    ...{ quiet: [...events.quiet], fresh: [...events.fresh], usable: [...events.usable], rule: [...events.rule] },
  }));
  return { event: name, series, scored: scored(labelled, horizonHours) };
}

async function main(out: string): Promise<void> {
  await writeDataset(store, { out, series: NAMES.map((name) => ({ chainId: 1, name })), pools: POOLS });
  const events = [
    ...EVENTS.map(({ name, kind, horizonHours }) => told(name, horizonHours, lenders(kind, horizonHours))),
    told("depeg-24h", 24, pairs(24)),
  ];
  process.stdout.write(JSON.stringify({ split: SPLIT, events }));
}

void main(process.argv[2] as string);
