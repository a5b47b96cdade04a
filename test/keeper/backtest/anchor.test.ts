import { expect } from "chai";
import { existsSync } from "node:fs";
import path from "node:path";
import { ceilingOf } from "../../../keeper/backtest/ceiling";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import { marketOf, type Market } from "../../../keeper/backtest/market";
import { apyOf } from "../../../keeper/backtest/metrics";
import { readSeries, type History } from "../../../keeper/backtest/readSeries";
import { runBacktest } from "../../../keeper/backtest/run";
import { hold } from "../../../keeper/backtest/strategies/hold";
import { skip } from "../../skip";

const SERIES = ["aave-v2-usdc", "aave-v3-usdc", "compound-v3-usdc"];
const [FROM, TO] = [Date.UTC(2023, 2, 20) / 1000, Date.UTC(2024, 7, 26) / 1000];

// The figures were worked out elsewhere, by another program, from the same series.
describe("USDC on three markets, 2023-03-20 to 2024-08-26", () => {
  let history: History;
  before(async function () {
    const data = process.env["TILLER_DATA"];
    if (data === undefined) return skip(this, "TILLER_DATA names no folder of recorded history");
    const folder = path.join(data, "lending");
    if (!existsSync(folder)) return skip(this, "the folder of TILLER_DATA holds no lending/");
    history = await readSeries(folder, SERIES, { now: Math.floor(Date.now() / 1000) });
  });

  const marketOfSize = (capital: number, priceTaker: boolean): Market =>
    marketOf(history.series, {
      ...{ from: FROM, to: TO, stepSeconds: 3600, lagSeconds: 3600, maxGapSeconds: 604_800 },
      ...{ priceTaker, capital, gas: constantGas(15) },
    });
  const ceilingApy = (market: Market, capital: number): number =>
    apyOf(ceilingOf(market, { capital, costBps: 0 }, []).finalUsd / capital, market.grid);

  it("pays 5.69 % to the best hold of a price taker", () => {
    const market = marketOfSize(1e5, true);
    const apys = SERIES.map((name, v) => {
      const { equity } = runBacktest(market, hold(name, v), { capital: 1e5, costBps: 0 });
      return apyOf((equity.at(-1) as number) / 1e5, market.grid);
    });
    expect(Math.max(...apys)).to.be.closeTo(0.0569, 5e-5);
    expect(apys.indexOf(Math.max(...apys))).to.equal(2);
  });

  for (const [capital, apy] of [
    [1e4, 0.0588],
    [1e5, 0.0625],
    [1e6, 0.067],
  ] as const) {
    it(`lets hindsight have ${(100 * apy).toFixed(2)} % with ${capital} USD, less where deposits dilute`, () => {
      expect(ceilingApy(marketOfSize(capital, true), capital)).to.be.closeTo(apy, 5e-5);
      expect(ceilingApy(marketOfSize(capital, false), capital)).to.be.below(apy + 5e-5);
    });
  }
});
