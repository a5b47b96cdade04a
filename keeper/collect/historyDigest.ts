// What data a result rests on, as one hash: SHA-256 over the values of every row that was read, in order.
import { createHash } from "node:crypto";
import type { HistoryRow } from "../store/historyRecords";

export class HistoryDigest {
  readonly #hash = createHash("sha256");

  /** @param series Stands above its rows. */
  begin(series: string): void {
    this.#hash.update(`${series}\n`);
  }

  add(rows: readonly HistoryRow[]): void {
    let text = "";
    for (const row of rows) {
      const { availableAt, observedAt, suppliedUsd, borrowedUsd, supplyApr, borrowApr } = row;
      text += `${availableAt},${observedAt},${suppliedUsd},${borrowedUsd},${supplyApr},${borrowApr}\n`;
    }
    this.#hash.update(text);
  }

  /** Hex; nothing can be added afterwards. */
  hex(): string {
    return this.#hash.digest("hex");
  }
}
