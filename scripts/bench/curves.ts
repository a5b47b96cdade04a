// `npm run bench:curves -- --data DIR NAME…`: how well the curve that a backtest takes for a market's own says what
// the market pays at another utilisation. Of pairs of rows up to half a day apart with less lent out in the later one: the
// rate that the first row's curve gives for the second's utilisation, beside the rate that was paid. And beside both, what a
// line through nothing says, which knows no kink. --json for programs.
import { parseArgs } from "node:util";
import { readSeries } from "../../keeper/backtest/readSeries";
import type { RateSeries } from "../../keeper/backtest/series";
import { table } from "../../keeper/cli/printing";
import { observedModel } from "../../keeper/venues/observedCurve";
import { supplyApr } from "../../keeper/venues/rateModel";

/** Rows between the two of a pair. */
const APART = [1, 2, 4, 8, 12];
/** Smaller markets, and what changed less or more, say little of a curve. */
const LEAST_USD = 1e7;
const LEAST_FALL = 0.001;
const MOST_FALL = 0.1;

interface Errors {
  readonly series: string;
  readonly side: "below the kink" | "above it";
  /** Basis points a year: what was predicted less what was paid. */
  readonly curve: number[];
  readonly line: number[];
  /** By how much the rate really fell. */
  readonly fell: number[];
}

function errorsOf(series: RateSeries): Errors[] {
  const sides = (["below the kink", "above it"] as const).map((side): Errors => ({
    series: series.name,
    side,
    curve: [],
    line: [],
    fell: [],
  }));
  for (let row = 0; row + Math.max(...APART) < series.length; row += 1) {
    const [supplied, borrowed] = [series.supplied[row] as number, series.borrowed[row] as number];
    const apr = series.apr[row] as number;
    const curve = series.curveAt(series.observedAt[row] as number);
    if (supplied < LEAST_USD || curve === undefined) continue;
    const used = Math.min(1, series.utilisation(row));
    const model = observedModel(series.shape, { supplied, borrowed, supplyApr: apr }, curve);
    const errors = sides["kink" in model && used > model.kink ? 1 : 0] as Errors;
    for (const apart of APART) {
      const later = series.utilisation(row + apart);
      if (!(later < used * (1 - LEAST_FALL) && later > used * (1 - MOST_FALL))) continue;
      const paid = series.apr[row + apart] as number;
      errors.curve.push(1e4 * (supplyApr(model, borrowed / later - supplied) - paid));
      errors.line.push(1e4 * (apr * (later / used) ** (series.shape === "aave" ? 2 : 1) - paid));
      errors.fell.push(1e4 * (apr - paid));
    }
  }
  return sides.filter(({ curve }) => curve.length > 0);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? NaN;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      data: { type: "string" },
      json: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  if (values.data === undefined || positionals.length === 0) {
    process.stderr.write("bench:curves: name a folder and its series: --data DIR NAME NAME\n");
    process.exitCode = 2;
    return;
  }
  const { series } = await readSeries(values.data, positionals, { now: Math.floor(Date.now() / 1000) });
  const found = series.flatMap(errorsOf);
  const spread = (errors: readonly number[]): number[] => [0.1, 0.5, 0.9].map((q) => quantile(errors, q));
  if (values.json) {
    const rows = found.map(({ curve, line, fell, ...of }) => ({
      ...{ ...of, pairs: curve.length },
      ...{ curve: spread(curve), line: spread(line), fell: spread(fell) },
    }));
    process.stdout.write(`${JSON.stringify({ rows })}\n`);
    return;
  }
  const shown = (errors: readonly number[]): string =>
    spread(errors)
      .map((error) => error.toFixed(1))
      .join(" / ");
  const head = ["series", "", "pairs", "curve, bp", "line, bp", "rate fell by, bp"];
  const rows = found.map(({ series: name, side, curve, line, fell }) => [
    ...[name, side, String(curve.length), shown(curve), shown(line), shown(fell)],
  ]);
  process.stdout.write(`${table(head, rows, head.slice(2))}\ntenth, half and nine tenths of the errors\n`);
}

void main();
