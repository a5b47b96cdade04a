// What a decision needs of the blocks before its own: the rates that were seen, and the forecasts made of them. The loop and the
// replay of a recording both keep one, so that the same snapshots give the same inputs.
import type { VaultSnapshot } from "../chain/snapshot";
import type { ObservationRow } from "../store/records";
import { observationsOf } from "../venues/observations";
import { RateHistory } from "./rateHistory";
import type { Forecast } from "./strategy";

export interface MemorySettings {
  readonly halfLifeHours: number;
  /** Seconds before its start that a process reads what an earlier one saw. */
  readonly reachSeconds: number;
}

export class Memory {
  readonly #rates: RateHistory;
  #previous: readonly ObservationRow[] = [];

  constructor(settings: MemorySettings) {
    this.#rates = new RateHistory(settings);
  }

  /** What an earlier process saw, oldest first. */
  remember(rows: readonly ObservationRow[]): void {
    this.#rates.add(rows);
    this.#previous = [...new Map(rows.map((row) => [row.venue, row])).values()];
  }

  /** What the snapshot says of each venue's rate. */
  observe(snapshot: VaultSnapshot, availableAt: number): ObservationRow[] {
    return observationsOf(snapshot, { availableAt, previous: this.#previous });
  }

  /** Rows of the next block. */
  add(rows: readonly ObservationRow[]): void {
    this.#rates.add(rows);
    this.#previous = rows;
  }

  /** @param at Unix seconds: by then what is used was known. */
  forecasts(snapshot: VaultSnapshot, at: number): Forecast[] {
    return this.#rates.forecasts(
      snapshot.adapters.map((adapter) => adapter.id),
      at,
    );
  }
}
