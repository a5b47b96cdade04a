// Whether gas is likely cheaper soon: by how low it came within the same time, again and again, over the last day. No model
// of fees: what four of five stretches of the past had, the next one likely has. While a stretch goes by without it, that
// stretch becomes part of the past, so that nothing waits for long for what does not come any more.

/** Past that is looked at, and the least that has to be seen of it to say anything. */
export const FEES_KEPT_SECONDS = 86_400;
export const LEAST_FEES_SECONDS = FEES_KEPT_SECONDS / 2;
/** One block's base fee is nothing to wait for: it is gone with the next one. */
const BUCKET_SECONDS = 300;
/** Part of the stretches that came as low. */
const LIKELY = 0.8;

/** What is likely met within the patience, and after how long on average. */
export interface Likely {
  readonly value: number;
  readonly steps: number;
}

/**
 * @param values At equal steps, the newest last.
 * @param patience Steps that may be waited.
 * @returns null where the past is too short to say.
 */
export function likelyLow(values: ArrayLike<number>, patience: number): Likely | null {
  const stretches = values.length - patience;
  if (patience < 1 || stretches < patience) return null;
  const lows = new Float64Array(stretches);
  for (let begin = 0; begin < stretches; begin += 1) {
    let low = Infinity;
    for (let k = begin + 1; k <= begin + patience; k += 1) low = Math.min(low, values[k] as number);
    lows[begin] = low;
  }
  const value = lows.slice().sort()[Math.ceil(LIKELY * stretches) - 1] as number;
  let [steps, reached] = [0, 0];
  for (let begin = 0; begin < stretches; begin += 1) {
    if ((lows[begin] as number) > value) continue;
    let after = 1;
    while ((values[begin + after] as number) > value) after += 1;
    steps += after;
    reached += 1;
  }
  return { value, steps: steps / reached };
}

/** The base fee that is likely met within `withinSeconds`. */
export interface GasOutlook {
  /** Wei. */
  readonly likelyBaseFee: bigint;
  /** Until it came, on average. */
  readonly waitSeconds: number;
  readonly withinSeconds: number;
}

/** Base fees of blocks as they come, as means of five minutes. */
export class FeeHistory {
  readonly #patience: number;
  /** By its number; what has no block has the fee of the one before. */
  readonly #buckets: { readonly number: number; mean: number; count: number }[] = [];

  /** @param options.gasPatienceSeconds 0: nothing is ever waited for. */
  constructor(options: { readonly gasPatienceSeconds: number }) {
    this.#patience = Math.floor(options.gasPatienceSeconds / BUCKET_SECONDS);
  }

  /** Older than what is known: ignored. */
  add(at: number, baseFee: bigint): void {
    const number = Math.floor(at / BUCKET_SECONDS);
    const last = this.#buckets.at(-1);
    if (last !== undefined && number < last.number) return;
    if (last?.number === number) {
      last.count += 1;
      last.mean += (Number(baseFee) - last.mean) / last.count;
    } else this.#buckets.push({ number, mean: Number(baseFee), count: 1 });
    const oldest = number - FEES_KEPT_SECONDS / BUCKET_SECONDS;
    // One from before stays: its fee holds until the next.
    while ((this.#buckets[1]?.number ?? Infinity) <= oldest) this.#buckets.shift();
  }

  outlook(): GasOutlook | null {
    const [first, last] = [this.#buckets[0], this.#buckets.at(-1)];
    if (first === undefined || last === undefined) return null;
    const kept = FEES_KEPT_SECONDS / BUCKET_SECONDS;
    const from = Math.max(first.number, last.number - kept + 1);
    // A silence is no past: its fee holds, but nobody saw what came in it.
    const seen = this.#buckets.filter(({ number }) => number >= from).length;
    if (this.#patience === 0 || seen * BUCKET_SECONDS < LEAST_FEES_SECONDS) return null;
    const values = new Float64Array(last.number - from + 1);
    let row = 0;
    for (let k = 0; k < values.length; k += 1) {
      while ((this.#buckets[row + 1]?.number ?? Infinity) <= from + k) row += 1;
      values[k] = this.#buckets[row]?.mean ?? NaN;
    }
    const likely = likelyLow(values, this.#patience);
    if (likely === null) return null;
    return {
      likelyBaseFee: BigInt(Math.round(likely.value)),
      waitSeconds: Math.round(likely.steps * BUCKET_SECONDS),
      withinSeconds: this.#patience * BUCKET_SECONDS,
    };
  }
}
