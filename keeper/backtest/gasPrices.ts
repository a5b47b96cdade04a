// What moving money from one venue to another costs in gas, USD, at any time: always the same, or the base fee of the block
// times gas times the price of ether.
import { contentOf } from "../collect/historyFile";
import { readNumberCsv } from "../collect/numberCsv";
import { InputFailure } from "../config/failure";

/** USD a move; piecewise constant from `at[k]` on. */
export interface GasPrices {
  readonly at: Float64Array;
  readonly usd: Float64Array;
}

export function constantGas(usd: number): GasPrices {
  return { at: Float64Array.of(-Infinity), usd: Float64Array.of(usd) };
}

/** The price in force at each of `count` moments, `every` seconds apart. NaN: before the first. */
export function gasOn(
  prices: GasPrices,
  { from, every, count }: { readonly from: number; readonly every: number; readonly count: number },
): Float64Array {
  const out = new Float64Array(count);
  let row = -1;
  for (let k = 0; k < count; k += 1) {
    while (row + 1 < prices.at.length && (prices.at[row + 1] as number) <= from + k * every) row += 1;
    out[k] = row < 0 ? NaN : (prices.usd[row] as number);
  }
  return out;
}

const COLUMNS = ["observed_at", "base_fee_gwei", "eth_usd"] as const;
const [OBSERVED, BASE_FEE, ETH] = [0, 1, 2] as const;

/**
 * From a CSV file with the columns `observed_at` (unix seconds, ascending), `base_fee_gwei` and `eth_usd`.
 *
 * @param gasPerMove Units of gas.
 * @throws InputFailure `IMPORT_…`, `BACKTEST_GAS`.
 */
export async function readGasPrices(file: string, gasPerMove: number): Promise<GasPrices> {
  const [at, usd]: [number[], number[]] = [[], []];
  readNumberCsv(await contentOf(file), { file, columns: COLUMNS }, (row) => {
    const observedAt = row.whole(OBSERVED);
    const [fee, eth] = [row.number(BASE_FEE), row.number(ETH)];
    if (fee === null || fee < 0) throw row.malformed(BASE_FEE, "is no price of gas");
    if (eth === null || eth < 0) throw row.malformed(ETH, "is no price of ether");
    if (observedAt <= (at.at(-1) ?? -1)) {
      throw new InputFailure("BACKTEST_GAS", `${observedAt} is not after the row above`, {
        field: `${file}: line ${row.line}, column observed_at`,
        remedy: "Sort the rows by observed_at, one for each time.",
      });
    }
    at.push(observedAt);
    usd.push(fee * 1e-9 * gasPerMove * eth);
  });
  return { at: Float64Array.from(at), usd: Float64Array.from(usd) };
}
