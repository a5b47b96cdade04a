// Prices of pairs of dollars, as the collector read them of the Uniswap pools that it follows.
import { readDollars } from "../forecast/dollarPairs";
import { LOOKBACK_SECONDS } from "../forecast/features";
import { PegColumns } from "../forecast/pegFeatures";
import type { HistoryStore } from "../store/historyRecords";

const SOURCE = "uniswap-v3";
/** The last week's hours are compared with those of the training, and the first of them looks back on a week of its own. */
const READ_SECONDS = 2 * LOOKBACK_SECONDS;
/** The state that was in force at its begin may have been read before. */
const EARLIER_SECONDS = 86_400;

export interface PegPricesSource {
  readonly chainId: number;
  readonly history: Pick<HistoryStore, "readings" | "readSubjects">;
}

/**
 * Pairs of which something was read in the fortnight before `at`, under the names that their pools are followed by.
 *
 * @param at Unix seconds.
 * @throws WorldFailure `STORE_…`.
 */
export async function pegPrices({ chainId, history }: PegPricesSource, at: number): Promise<Map<string, PegColumns>> {
  const span = { chainId, source: SOURCE, from: at - READ_SECONDS - EARLIER_SECONDS, to: at };
  const found = new Map<string, PegColumns>();
  for (const subject of await history.readSubjects(span)) {
    const rows = await history.readings({ ...span, subject });
    let columns: PegColumns | null = null;
    for (const row of rows) {
      const read = readDollars(row);
      if (read === null) continue;
      columns ??= new PegColumns(read.decimals);
      columns.add([read.state]);
    }
    if (columns !== null) found.set(subject, columns);
  }
  return found;
}
