// Rows of a series as the file that a backtest reads.
import type { RateRow } from "../../../keeper/backtest/series";
import { CANONICAL_COLUMNS } from "../../../keeper/collect/canonicalHistory";

export function historyCsv(rows: readonly RateRow[]): string {
  const lines = rows.map((row) =>
    [row.observedAt, row.availableAt, 1, row.suppliedUsd, row.borrowedUsd, row.supplyApr, ""].join(","),
  );
  return `${CANONICAL_COLUMNS.join(",")}\n${lines.join("\n")}\n`;
}
