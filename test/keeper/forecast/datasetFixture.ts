// A small data set as it is written: three series of one asset and one of another, held in memory.
import type { HistoryRow, HistoryStore, SeriesName } from "../../../keeper/store/historyRecords";

const HOUR = 3_600;
export const BEGIN = 1_700_002_800;

function rowsOf(phase: number, hours: number, every: number): HistoryRow[] {
  return Array.from({ length: Math.ceil(hours / every) }, (_, k) => {
    const at = BEGIN + k * every * HOUR;
    const supplied = 1e9 * (1 + 0.1 * Math.sin(phase + k / 50));
    const used = 0.8 + 0.1 * Math.sin(phase + k / 17);
    return {
      ...{ observedAt: at - 700 - ((k * 131) % 900), availableAt: at, block: k, blockHash: null, source: "fixture" },
      ...{ suppliedUsd: supplied, borrowedUsd: supplied * used, supplyApr: 0.1 * used * used, borrowApr: 0.11 * used },
      ...{ index: null, flags: 0 },
    };
  });
}

export const FIXTURE: ReadonlyMap<string, HistoryRow[]> = new Map([
  ["one-usdc", rowsOf(0, 600, 1)],
  ["two-usdc", rowsOf(1, 600, 1)],
  // Ends early: after a week it counts as no peer.
  ["three-usdc", rowsOf(2, 100, 5)],
  ["one-dai", rowsOf(3, 600, 1)],
]);

/** What a data set reads of a store; `change` alters rows on the way. */
export function fixtureStore(
  change: (rows: HistoryRow[], name: string) => HistoryRow[] = (rows) => rows,
): HistoryStore {
  return {
    async *history({ name }: SeriesName, query: { from?: number; to?: number } = {}) {
      const rows = change(FIXTURE.get(name) ?? [], name);
      const wanted = rows.filter(
        (row) => row.availableAt >= (query.from ?? 0) && row.availableAt <= (query.to ?? Infinity),
      );
      for (let k = 0; k < wanted.length; k += 100) yield wanted.slice(k, k + 100);
    },
  } as unknown as HistoryStore;
}

export const FIXTURE_SERIES: readonly SeriesName[] = [...FIXTURE.keys()].map((name) => ({ chainId: 1, name }));
