// Imported states of pools, held in memory: a pair of dollars that wanders about its peg, one of 18 and 6 decimals, and no pair of dollars.
import { POOL_DAY, POOL_STATE } from "../../../keeper/collect/poolFiles";
import type { HistoryStore } from "../../../keeper/store/historyRecords";
import type { PoolStateRow, PoolSubject } from "../../../keeper/store/poolFileRecords";
import { BEGIN, fixtureStore } from "./datasetFixture";

const HOUR = 3_600;

export const USDC_USDT: PoolSubject = { chainId: 1, source: POOL_STATE, subject: "v3-usdc-usdt-1bp-hourly-state" };
export const DAI_USDC: PoolSubject = { chainId: 1, source: POOL_STATE, subject: "v3-dai-usdc-1bp" };
export const PAIRS: readonly PoolSubject[] = [
  USDC_USDT,
  DAI_USDC,
  { chainId: 1, source: POOL_STATE, subject: "v3-usdc-weth-5bp" },
  { chainId: 1, source: POOL_DAY, subject: "v3-usdc-usdt-1bp-daily" },
];
/** Ticks of a price of one, of 18 and 6 decimals. */
const DAI_AT_PAR = -276_325;

export function statesOf(subject: PoolSubject, hours = 400): PoolStateRow[] {
  return Array.from({ length: hours }, (_, k) => {
    const at = BEGIN + k * HOUR;
    const pushed = k % 97 < 4 ? 19 : 0;
    const tick = Math.round(6 * Math.sin(k / 9) + 3 * Math.sin(k / 2.3)) + pushed;
    const state = {
      ...{ observed_at: String(at), block: String(18_000_000 + 300 * k) },
      tick: String(subject === DAI_USDC ? DAI_AT_PAR + tick : tick),
      liquidity: k % 50 === 0 ? "0" : `${3 + (k % 7)}00394234327008495`,
    };
    return { ...subject, block: 18_000_000 + 300 * k, observedAt: at, availableAt: at, state: JSON.stringify(state) };
  });
}

/** The series' fixture with these pools. `change` alters states on the way. */
export function pricedStore(change: (rows: PoolStateRow[]) => PoolStateRow[] = (rows) => rows): HistoryStore {
  return {
    ...fixtureStore(),
    poolFiles: {
      async *states(subject: PoolSubject) {
        await Promise.resolve();
        const rows = change(statesOf(subject));
        for (let k = 0; k < rows.length; k += 64) yield rows.slice(k, k + 64);
      },
    },
  } as unknown as HistoryStore;
}
