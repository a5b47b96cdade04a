// A series row by row, oldest first: what a new point of it is, beside the rows before.
import type { HistoryRow, HistoryStore, SeriesName } from "../store/historyRecords";
import { growthApr } from "../venues/erc4626";
import { SeriesQuality } from "./quality";

export class FollowedSeries {
  readonly #quality = new SeriesQuality();
  #last: HistoryRow | null = null;

  /** All that is stored of the series. */
  static async stored(store: HistoryStore, series: SeriesName): Promise<FollowedSeries> {
    const followed = new FollowedSeries();
    for await (const page of store.history(series)) for (const row of page) followed.take(row);
    return followed;
  }

  /** A row that stands as it is. */
  take(row: HistoryRow): void {
    this.#quality.flagsOf(row);
    this.#last = row;
  }

  /** The point as a row: with its flags, and with the growth of an index as its rate. It is the last one then. */
  next(point: HistoryRow): HistoryRow {
    const row = withGrowth(this.#last, point);
    this.#last = { ...row, flags: this.#quality.flagsOf(row) };
    return this.#last;
  }
}

/** Where a source says an index and no rate, the rate is what the index has grown by since the last row. */
function withGrowth(last: HistoryRow | null, row: HistoryRow): HistoryRow {
  if (row.supplyApr !== null || row.index === null || last === null || last.index === null) return row;
  const grown = growthApr(
    { at: last.observedAt, index: BigInt(last.index) },
    { at: row.observedAt, index: BigInt(row.index) },
  );
  return { ...row, supplyApr: grown ?? last.supplyApr };
}
