// How many blocks to ask for next: twice as many after each answer, half as many after a refusal. A size that was just
// refused is not tried again at once, or every second request would be refused.

export interface ChunkBounds {
  /** Blocks asked for at first. Default 200: of the busiest pool a few thousand events, and soon more of a quiet one. */
  readonly first?: number;
  readonly largest?: number;
}

const FIRST = 200;
const LARGEST = 100_000;
/** Answers below a refused size after which it is tried again: busy blocks do not last. */
const ANSWERS_BEFORE_RETRY = 16;
/** Rows that one answer and one transaction hold without strain; a chunk with more is followed by a smaller one. */
const COMFORTABLE_ROWS = 5_000;

export class ChunkSize {
  readonly #largest: number;
  #blocks: number;
  #refused = Infinity;
  #answersSince = 0;

  constructor(bounds: ChunkBounds = {}) {
    this.#largest = bounds.largest ?? LARGEST;
    this.#blocks = Math.min(bounds.first ?? FIRST, this.#largest);
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** An answer for `blocks` blocks came. One for less than was allowed, as at the end of a range, says nothing of more. */
  answered(blocks: number, rows: number): void {
    this.#answersSince += 1;
    if (this.#answersSince >= ANSWERS_BEFORE_RETRY) this.#refused = Infinity;
    if (rows > COMFORTABLE_ROWS) this.#blocks = Math.max(1, Math.floor((blocks * COMFORTABLE_ROWS) / rows));
    else if (blocks >= this.#blocks && rows * 2 <= COMFORTABLE_ROWS && blocks * 2 < this.#refused) {
      this.#blocks = Math.min(blocks * 2, this.#largest);
    }
  }

  /** `blocks` were too many, or took too long. */
  refused(blocks: number): void {
    this.#refused = blocks;
    this.#answersSince = 0;
    this.#blocks = Math.max(1, Math.floor(blocks / 2));
  }
}
