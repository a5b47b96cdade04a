// Scales of the charts: round ticks for rates and times, and the place of a value between them. Pure.

export interface RateScale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** Decimals of a percentage that tell the ticks apart. */
  readonly places: number;
}

/** Rates with three to six round ticks. Starts at zero unless all rates lie far above it. */
export function rateScale(rates: readonly number[]): RateScale {
  const finite = rates.filter(Number.isFinite);
  const high = Math.max(0.01, ...finite);
  const lowest = finite.length === 0 ? 0 : Math.min(...finite);
  const low = lowest > 0.6 * high ? lowest : Math.min(0, lowest);
  const step = roundStep((high - low) / 4 || high / 4);
  const min = Math.floor(low / step + 1e-9) * step;
  const max = Math.max(Math.ceil(high / step - 1e-9), Math.round(min / step) + 2) * step;
  const count = Math.round((max - min) / step);
  return {
    min,
    max,
    ticks: Array.from({ length: count + 1 }, (_, index) => min + index * step),
    places: Math.max(0, -Math.floor(Math.log10(step * 100) + 1e-9)),
  };
}

/** 1, 2 or 5 times a power of ten, not below `raw`. */
export function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}

const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
  1_209_600, 2_592_000, 7_776_000, 31_536_000,
];
const MOST_TIME_TICKS = 5;

/** Round times strictly inside [from, to], at most five, away from the edges so that their labels fit. */
export function timeTicks(from: number, to: number): { readonly step: number; readonly ticks: readonly number[] } {
  const span = to - from;
  if (!(span > 0)) {
    return { step: 1, ticks: [] };
  }
  const step = TIME_STEPS.find((candidate) => span / candidate <= MOST_TIME_TICKS) ?? span;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const place = (at - from) / span;
    if (place > 0.06 && place < 0.94) {
      ticks.push(at);
    }
  }
  return { step, ticks };
}

/** Index of the entry of `sorted` nearest to `value`; −1 where there is none. */
export function nearestIndex(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const before = sorted[low - 1];
  const here = sorted[low];
  if (here === undefined) {
    return -1;
  }
  return before !== undefined && value - before < here - value ? low - 1 : low;
}
