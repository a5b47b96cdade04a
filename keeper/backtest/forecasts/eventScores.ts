// How good models of risk were at what they foretold: their probabilities beside what came, beside how often it came before, and
// beside the one column that nearly is the model. Rates of scores as where the models are trained (ml/tillerml/scores.py).
import { classOf, type RiskClass } from "../../forecast/riskModel";
import { meanInterval, type Interval } from "../bootstrap";
import { daily } from "./daily";
import { QUIET_HOURS } from "./eventHours";
import { HOUR } from "./hours";
import { binOf } from "./pastFrequency";

/** Hours that a model was asked about, of several series, each in order of time. */
export interface Foretold {
  /** By number. */
  readonly series: Int32Array;
  /** Unix seconds. */
  readonly at: Float64Array;
  /** 1: the event came. */
  readonly happens: Uint8Array;
  /** 1: the event had not been there for a day. */
  readonly quiet: Uint8Array;
  /** Probabilities: the model's; of the past of the series; of a table of one column, where there is a past. */
  readonly model: Float64Array;
  readonly climatology: Float64Array;
  readonly table: Float64Array | null;
  /** That column itself. */
  readonly rule: Float64Array;
}

export interface ProbabilityScore {
  /** Area under precision over recall, as average precision; null: no event came. */
  readonly prAuc: number | null;
  readonly brier: number;
  /** 1 − Brier score / the climatology's; null: no event came, so that there is nothing to be better at. */
  readonly brierSkill: number | null;
}

export interface ReliabilityBin {
  /** Mean probability of the bin's rows, and the share of them that the event came after. */
  readonly forecast: number;
  readonly observed: number;
  readonly rows: number;
}

export interface ClassScore {
  /** Of all rows. */
  readonly share: number;
  /** Of the rows that the event came after; null: of none. */
  readonly recall: number | null;
  /** Share of the class's rows that the event came after; null: it has none. */
  readonly precision: number | null;
}

/** Runs of rows of class High, no more than a day apart, as a person is told of them. */
export interface AlertScore {
  readonly episodes: number;
  /** Of those: the event did not come after any row. */
  readonly falseEpisodes: number;
  /** Of the distinct events: one that was High before it came. */
  readonly eventsTold: number;
}

export interface EventScore {
  readonly n: number;
  /** Share of the rows that the event came after. */
  readonly prevalence: number | null;
  /** Distinct events, a day without between them. */
  readonly events: number;
  readonly model: (ProbabilityScore & { readonly reliability: readonly ReliabilityBin[] }) | null;
  readonly classes: Readonly<Record<RiskClass, ClassScore>> | null;
  readonly alerts: AlertScore;
  readonly climatology: ProbabilityScore | null;
  /** Null: there is no past to count in. */
  readonly table: ProbabilityScore | null;
  /** The column as it is: it ranks, and says no probability. */
  readonly rule: { readonly prAuc: number | null };
  /** The climatology's squared error less the model's; moving blocks of a fortnight; above zero: the model is better. */
  readonly brierGain: Interval | null;
  /** Of the rows with a day behind them in which the event was not there. */
  readonly declustered: {
    readonly n: number;
    readonly model: ProbabilityScore | null;
    readonly climatology: ProbabilityScore | null;
    readonly table: ProbabilityScore | null;
    readonly rule: { readonly prAuc: number | null };
  };
}

/** Reliability is told in bins between these probabilities. */
const BINS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4] as const;
const CLASSES: readonly RiskClass[] = ["low", "medium", "high"];

/** @param classes Probabilities from which a class is Medium, and High. @param seed Of the resampling. */
export function eventScoreOf(
  rows: Foretold,
  { classes, seed }: { readonly classes: readonly [number, number]; readonly seed: number },
): EventScore {
  const { happens } = rows;
  const quiet = picked(rows, (row) => rows.quiet[row] === 1);
  const named = Array.from(rows.model, (p) => classOf(p, classes));
  const high = Uint8Array.from(named, (name) => (name === "high" ? 1 : 0));
  const events = episodesOf(rows, happens);
  const alerts = episodesOf(rows, high);
  const has = (row: number, marks: Uint8Array): boolean => marks[row] === 1;
  const model = scoreOf(rows, rows.model);
  return {
    ...{ n: happens.length, prevalence: share(happens), events: events.length },
    model: model === null ? null : { ...model, reliability: reliabilityOf(rows) },
    classes: happens.length === 0 ? null : classScores(happens, named),
    alerts: {
      episodes: alerts.length,
      falseEpisodes: alerts.filter((episode) => !episode.some((row) => has(row, happens))).length,
      eventsTold: events.filter((event) => event.some((row) => has(row, high))).length,
    },
    climatology: scoreOf(rows, rows.climatology),
    table: rows.table === null ? null : scoreOf(rows, rows.table),
    rule: { prAuc: prAucOf(happens, rows.rule) },
    brierGain: brierGain(rows, seed),
    declustered: {
      n: quiet.happens.length,
      model: scoreOf(quiet, quiet.model),
      climatology: scoreOf(quiet, quiet.climatology),
      table: quiet.table === null ? null : scoreOf(quiet, quiet.table),
      rule: { prAuc: prAucOf(quiet.happens, quiet.rule) },
    },
  };
}

/** The rows that count. */
export function picked(rows: Foretold, counts: (row: number) => boolean): Foretold {
  const ofReals = (values: Float64Array): Float64Array => values.filter((_, row) => counts(row));
  return {
    series: rows.series.filter((_, row) => counts(row)),
    happens: rows.happens.filter((_, row) => counts(row)),
    quiet: rows.quiet.filter((_, row) => counts(row)),
    ...{ at: ofReals(rows.at), model: ofReals(rows.model), climatology: ofReals(rows.climatology) },
    ...{ rule: ofReals(rows.rule), table: rows.table === null ? null : ofReals(rows.table) },
  };
}

function scoreOf({ happens, climatology }: Foretold, probability: Float64Array): ProbabilityScore | null {
  if (happens.length === 0) return null;
  const [brier, base] = [brierOf(happens, probability), brierOf(happens, climatology)];
  return {
    prAuc: prAucOf(happens, probability),
    brier,
    brierSkill: base > 0 && happens.includes(1) ? 1 - brier / base : null,
  };
}

function brierOf(happens: Uint8Array, probability: Float64Array): number {
  return happens.reduce((sum, event, row) => sum + ((probability[row] as number) - event) ** 2, 0) / happens.length;
}

/** Average precision; rows of the same probability are taken together. Null without any event. */
function prAucOf(happens: Uint8Array, probability: Float64Array): number | null {
  const order = Array.from(happens.keys()).sort((a, b) => (probability[b] as number) - (probability[a] as number));
  const events = happens.reduce((sum, event) => sum + event, 0);
  if (events === 0) return null;
  let [found, before, area] = [0, 0, 0];
  order.forEach((row, k) => {
    found += happens[row] as number;
    const next = order[k + 1];
    if (next !== undefined && probability[next] === probability[row]) return;
    area += (found / (k + 1)) * (found - before);
    before = found;
  });
  return area / events;
}

/** Empty bins are left out. */
function reliabilityOf({ happens, model }: Foretold): ReliabilityBin[] {
  const bins = Array.from({ length: BINS.length + 1 }, () => ({ forecast: 0, observed: 0, rows: 0 }));
  model.forEach((p, row) => {
    const bin = bins[binOf(BINS, p)];
    if (bin === undefined) return;
    bin.forecast += p;
    bin.observed += happens[row] as number;
    bin.rows += 1;
  });
  return bins
    .filter(({ rows }) => rows > 0)
    .map(({ forecast, observed, rows }) => ({ forecast: forecast / rows, observed: observed / rows, rows }));
}

function classScores(happens: Uint8Array, named: readonly RiskClass[]): Record<RiskClass, ClassScore> {
  const events = happens.reduce((sum, event) => sum + event, 0);
  const scores = CLASSES.map((name) => {
    const own = happens.filter((_, row) => named[row] === name);
    const hits = own.reduce((sum, event) => sum + event, 0);
    const score = {
      share: own.length / happens.length,
      recall: events === 0 ? null : hits / events,
      precision: share(own),
    };
    return [name, score] as const;
  });
  return Object.fromEntries(scores) as Record<RiskClass, ClassScore>;
}

/** Runs of marked rows of a series, no more than {@link QUIET_HOURS} apart. */
function episodesOf({ series, at }: Foretold, marks: Uint8Array): number[][] {
  const runs: number[][] = [];
  const last = new Map<number, { readonly at: number; readonly run: number[] }>();
  marks.forEach((mark, row) => {
    if (mark === 0) return;
    const [own, moment] = [series[row] as number, at[row] as number];
    const before = last.get(own);
    const goesOn = before !== undefined && moment - before.at <= QUIET_HOURS * HOUR;
    const run = goesOn ? before.run : [];
    if (!goesOn) runs.push(run);
    run.push(row);
    last.set(own, { at: moment, run });
  });
  return runs;
}

/** Of several series the rows of one day are one value. */
function brierGain({ at, happens, model, climatology }: Foretold, seed: number): Interval | null {
  const order = Array.from(at.keys()).sort((a, b) => (at[a] as number) - (at[b] as number));
  const error = (row: number, said: Float64Array): number => ((said[row] as number) - (happens[row] as number)) ** 2;
  const gains = Float64Array.from(order, (row) => error(row, climatology) - error(row, model));
  const moments = Float64Array.from(order, (row) => at[row] as number);
  return meanInterval(daily(gains, moments), { seed, scale: 1 });
}

function share(marks: Uint8Array): number | null {
  return marks.length === 0 ? null : marks.reduce((sum, mark) => sum + mark, 0) / marks.length;
}
