// What a decision needs of the blocks before its own: the rates and fees that were seen, and what is forecast of them. The loop and the
// replay of a recording both keep one, so that the same snapshots give the same inputs.
import type { VaultSnapshot } from "../chain/snapshot";
import type { ObservationRow } from "../store/records";
import { observationsOf } from "../venues/observations";
import { FeeHistory } from "./gasTiming";
import { RateHistory } from "./rateHistory";
import type { Forecast, StrategyInput } from "./strategy";

export interface MemorySettings {
  readonly halfLifeHours: number;
  /** Seconds before its start that a process reads what an earlier one saw. */
  readonly reachSeconds: number;
  /** How long cheaper gas may be waited for; 0: not at all. */
  readonly gasPatienceSeconds: number;
}

/** A block's base fee, decimal, wei. */
export interface SeenFee {
  readonly observedAt: number;
  readonly baseFee: string;
}

export class Memory {
  readonly #rates: RateHistory;
  readonly #fees: FeeHistory;
  #previous: readonly ObservationRow[] = [];

  constructor(settings: MemorySettings) {
    this.#rates = new RateHistory(settings);
    this.#fees = new FeeHistory(settings);
  }

  /** What an earlier process saw, oldest first. */
  remember(rows: readonly ObservationRow[], fees: readonly SeenFee[]): void {
    this.#rates.add(rows);
    for (const { observedAt, baseFee } of fees) this.#fees.add(observedAt, BigInt(baseFee));
    this.#previous = [...new Map(rows.map((row) => [row.venue, row])).values()];
  }

  /** What the snapshot says of each venue's rate. */
  observe(snapshot: VaultSnapshot, availableAt: number): ObservationRow[] {
    return observationsOf(snapshot, { availableAt, previous: this.#previous });
  }

  /** The next block, and what was observed of it. */
  add(snapshot: VaultSnapshot, rows: readonly ObservationRow[]): void {
    this.#fees.add(snapshot.timestamp, snapshot.baseFeePerGas);
    this.#rates.add(rows);
    this.#previous = rows;
  }

  /** What is likely of gas; in the words of {@link StrategyInput}. */
  gas(): Pick<StrategyInput, "gas"> {
    const gas = this.#fees.outlook();
    return gas === null ? {} : { gas };
  }

  /** @param at Unix seconds: by then what is used was known. */
  forecasts(snapshot: VaultSnapshot, at: number): Forecast[] {
    return this.#rates.forecasts(
      snapshot.adapters.map((adapter) => adapter.id),
      at,
    );
  }
}
