// Median and median deviation of the last values of a series, without sorting them each time.

/** Of the last `length` values, kept in order. */
export class RollingMedian {
  readonly #queue: Float64Array;
  readonly #sorted: Float64Array;
  #size = 0;
  /** Where the next value goes in the queue. */
  #next = 0;

  constructor(length: number) {
    this.#queue = new Float64Array(length);
    this.#sorted = new Float64Array(length);
  }

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
    this.#next = 0;
  }

  add(value: number): void {
    const [sorted, length] = [this.#sorted, this.#queue.length];
    // The place of the oldest, or a new one at the end, is moved to where the value belongs.
    let place = this.#size < length ? this.#size++ : this.#placeOf(this.#queue[this.#next] as number);
    this.#queue[this.#next] = value;
    this.#next = (this.#next + 1) % length;
    for (; place + 1 < this.#size && (sorted[place + 1] as number) < value; place += 1) {
      sorted[place] = sorted[place + 1] as number;
    }
    for (; place > 0 && (sorted[place - 1] as number) > value; place -= 1) sorted[place] = sorted[place - 1] as number;
    sorted[place] = value;
  }

  median(): number {
    return this.#sorted[this.#size >> 1] as number;
  }

  deviation(): number {
    const [sorted, middle, median] = [this.#sorted, this.#size >> 1, this.median()];
    // Deviations grow to both sides of the median: the middle one is found by walking outwards.
    let [before, after, deviation] = [middle - 1, middle, 0];
    for (let taken = 0; taken <= middle; taken += 1) {
      const down = before >= 0 ? median - (sorted[before] as number) : Infinity;
      const up = after < this.#size ? (sorted[after] as number) - median : Infinity;
      deviation = Math.min(down, up);
      if (down < up) before -= 1;
      else after += 1;
    }
    return deviation;
  }

  #placeOf(value: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
