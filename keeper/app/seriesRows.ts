// The rows that forecasts of the vault's venues are made from, as whoever saw them left them.
import { KEPT_SECONDS, type LiveForecasts } from "../forecast/liveForecasts";
import type { HistoryRow } from "../store/historyRecords";
import type { ObservationRow, Store } from "../store/records";

export interface SeriesOfVenues {
  readonly chainId: number;
  /** Ids of the vault's venues, which name their series. */
  readonly venues: readonly string[];
  /** Of the vault's asset. */
  readonly assetUsd: number;
  readonly store: Pick<Store, "hourlyObservations" | "history">;
}

/** What was seen before `at`: the keeper's own observations, and before them what was collected or imported. */
export async function addSeenRows(
  live: LiveForecasts,
  { chainId, venues, assetUsd, store }: SeriesOfVenues,
  { decimals, at }: { readonly decimals: number; readonly at: number },
): Promise<void> {
  const from = at - KEPT_SECONDS;
  const own = await store.hourlyObservations({ chainId, from, knownBy: at });
  for (const venue of venues) {
    const rows = own.filter((row) => row.venue === venue);
    const first = rows.find(({ supplyAprWithoutUs }) => supplyAprWithoutUs !== null)?.availableAt ?? at + 1;
    for await (const page of store.history.history({ chainId, name: venue }, { from, to: first - 1 })) {
      live.add(venue, page);
    }
    live.add(
      venue,
      rows.map((row) => historyRowOf(row, { decimals, assetUsd })),
    );
  }
}

/** As the venue would be without us, like what models are trained on. @param of.decimals Of the vault's asset. */
export function historyRowOf(
  row: ObservationRow,
  { decimals, assetUsd }: { readonly decimals: number; readonly assetUsd: number },
): HistoryRow {
  const usd = (amount: string | null): number | null =>
    amount === null ? null : (Number(amount) / 10 ** decimals) * assetUsd;
  const [supplied, ours] = [usd(row.supplied), usd(row.vaultAssets) ?? 0];
  return {
    ...{ observedAt: row.observedAt, availableAt: row.availableAt, block: row.blockNumber, blockHash: row.blockHash },
    ...{ source: row.source, suppliedUsd: supplied === null ? null : Math.max(0, supplied - ours) },
    ...{ borrowedUsd: usd(row.borrowed), supplyApr: row.supplyAprWithoutUs, borrowApr: row.borrowApr },
    ...{ index: row.index ?? null, flags: 0 },
  };
}
