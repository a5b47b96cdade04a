// A series that is seen many times an hour, as models are trained on it: the last state of each hour that is over, and the newest.
import { SeriesQuality } from "../collect/quality";
import type { HistoryRow } from "../store/historyRecords";
import { SeriesColumns } from "./features";

const HOUR = 3_600;

export class HourlySeries {
  readonly columns = new SeriesColumns();
  readonly #quality = new SeriesQuality();
  /** Its hour may get another, until it is flagged. */
  #newest: HistoryRow | null = null;
  #isFlagged = true;

  /** Oldest first; a row without a rate, or older than what is held, says nothing. */
  add(row: HistoryRow): void {
    const last = this.#newest;
    if (row.supplyApr === null) return;
    if (last !== null && (row.availableAt < last.availableAt || row.observedAt < last.observedAt)) return;
    if (last !== null && endOf(row) === endOf(last) && !this.#isFlagged) this.columns.dropLast();
    else this.#flag();
    this.#newest = row;
    this.#isFlagged = false;
    this.columns.add([{ ...row, flags: 0 }]);
  }

  /** Rows known at `at`. */
  knownAt(at: number): number {
    // Its hour is over: no other row takes its place.
    if (this.#newest !== null && endOf(this.#newest) <= at) this.#flag();
    return this.columns.knownAt(at);
  }

  /** Forgets rows of before `at`, but the one that was in force then. */
  forget(at: number): void {
    const before = this.columns.knownAt(at) - 1;
    if (before > 0) this.columns.dropFirst(before);
  }

  /** A flag says how a row stands to those before it, each of which counts once. */
  #flag(): void {
    if (this.#newest === null || this.#isFlagged) return;
    this.columns.flagLast(this.#quality.flagsOf(this.#newest));
    this.#isFlagged = true;
  }
}

function endOf({ availableAt }: HistoryRow): number {
  return Math.ceil(availableAt / HOUR) * HOUR;
}
