import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gasOn, readGasPrices } from "../../../keeper/backtest/gasPrices";
import type { MarketOptions } from "../../../keeper/backtest/market";
import { RateSeries } from "../../../keeper/backtest/series";
import { InputFailure } from "../../../keeper/config/failure";
import { runBacktest } from "../../../keeper/backtest/run";
import type { Strategy } from "../../../keeper/backtest/strategy";
import { hold } from "../../../keeper/backtest/strategies/hold";
import { ewmaForecasts, live } from "../../../keeper/backtest/strategies/live";
import { periodic } from "../../../keeper/backtest/strategies/periodic";
import { configSchema } from "../../../keeper/config/schema";
import { FROM, market, rowsOf, seriesOf, START } from "./synthetic";

const HOUR = 3600;
const flat = { apr: () => 0.05 };

describe("a backtest's market", () => {
  const whole = seriesOf("whole", flat);
  const later = new RateSeries("later", rowsOf(flat).slice(1_500));
  const ended = new RateSeries("ended", rowsOf(flat).slice(0, 400));
  const holed = new RateSeries("holed", [...rowsOf(flat).slice(0, 300), ...rowsOf(flat).slice(500)]);
  const unsized = seriesOf("unsized", { ...flat, supplied: (h) => (h < 400 ? null : 1e6) });
  const small = seriesOf("small", { ...flat, supplied: () => 5e4, borrowed: () => 4e4 });

  interface Case {
    readonly series: readonly RateSeries[];
    readonly change?: Partial<MarketOptions>;
    readonly says: readonly [code: string, field: string, message: RegExp];
  }
  const one = new RateSeries("one", rowsOf({ ...flat, hours: 1 }));
  const none = new RateSeries("none", []);
  const cases: Record<string, Case> = {
    "an end before the begin": {
      ...{ series: [whole], change: { to: FROM - 1 } },
      says: ["BACKTEST_SPAN", "--to", /not a step/],
    },
    "an end within the first step": {
      ...{ series: [whole], change: { to: FROM + 3_599 } },
      says: ["BACKTEST_SPAN", "--to", /not a step/],
    },
    "one row": { series: [one], says: ["BACKTEST_HISTORY", "--series", /one row/] },
    "no row": { series: [whole, none], says: ["BACKTEST_HISTORY", "--series", /none has no row/] },
    "series that do not overlap": {
      ...{ series: [ended, later] },
      says: ["BACKTEST_OVERLAP", "--series", /ended ends .* before later begins/],
    },
    "a begin before anything is known": {
      ...{ series: [whole, later] },
      says: ["BACKTEST_SPAN", "--from", /nothing is known of later/],
    },
    "an end long after a series'": { series: [whole, ended], says: ["BACKTEST_SPAN", "--to", /ended ends on/] },
    "a silence that is too long": { series: [holed], says: ["BACKTEST_GAP", "--series", /silent .* 201 h/] },
    "a market of unknown size": {
      ...{ series: [unsized], change: { priceTaker: false } },
      says: ["BACKTEST_DEPTH", "unsized: supplied_usd, borrowed_usd", /not known/],
    },
    "more money than there is": {
      ...{ series: [small], change: { priceTaker: false, capital: 50_001 } },
      says: ["BACKTEST_CAPITAL", "--capital", /50001 USD is more than the 50000 USD/],
    },
  };
  for (const [what, { series, change, says }] of Object.entries(cases)) {
    it(`refuses ${what}`, () => {
      try {
        market(series, change);
      } catch (error) {
        if (!(error instanceof InputFailure)) throw error;
        expect([error.code, error.field]).to.deep.equal([says[0], says[1]]);
        expect(error.message).to.match(says[2]);
        return;
      }
      throw new Error("was taken");
    });
  }

  it("carries a last state on over a silence within the bound, at the end too", () => {
    const made = market([holed], { maxGapSeconds: 201 * HOUR });
    expect(made.truth[0]?.growth[100]).to.be.closeTo(0.05 / 8_760, 1e-8);
    expect(market([ended], { to: START + 560 * HOUR }).grid.steps).to.equal(320);
  });

  it("may begin with the first row: a hold at once, what decides on rows as soon as one is known", () => {
    const both = [seriesOf("a", flat), seriesOf("b", { apr: () => 0.04 })];
    for (const priceTaker of [true, false]) {
      const one = market(both, { from: START, to: START + 400 * HOUR, lagSeconds: 3 * HOUR, priceTaker });
      const placed = (strategy: Strategy): number => {
        const { holdings } = runBacktest(one, strategy, { capital: 1e5, costBps: 0, record: true });
        return holdings.findIndex((usd) => usd > 0) >> 1;
      };
      const limits = configSchema.parse({ chain: { rpcUrls: ["http://localhost"] } }).limits;
      expect(placed(hold("a", 0))).to.equal(0);
      expect(placed(periodic("best-history"))).to.equal(3);
      expect(placed(live("x", limits, ewmaForecasts(24)))).to.equal(3);
    }
    expect(() => market(both, { from: START - HOUR })).to.throw(InputFailure);
  });

  it("takes a market as large as the money, and any where deposits count as nothing", () => {
    expect(market([small], { priceTaker: false, capital: 5e4 }).venues).to.deep.equal(["small"]);
    expect(market([small], { capital: 1e12 }).venues).to.deep.equal(["small"]);
    expect(market([unsized]).venues).to.deep.equal(["unsized"]);
  });

  it("knows at a step the rows that were available a lag before, and no other", () => {
    const { knowledge } = market([whole], { lagSeconds: 2 * HOUR });
    for (const step of [0, 1, 500]) {
      const known = knowledge.rows[0]?.[step] ?? 0;
      const at = FROM + step * HOUR - 2 * HOUR;
      expect(whole.availableAt[known - 1]).to.equal(at);
      expect(whole.availableAt[known]).to.equal(at + HOUR);
    }
    const exact = market([whole], { lagSeconds: 2 * HOUR + 1 }).knowledge.rows[0]?.[0] ?? 0;
    expect(exact).to.equal((knowledge.rows[0]?.[0] ?? 0) - 1);
  });

  describe("gas from a file", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(path.join(tmpdir(), "gas-"))));
    after(() => rmSync(folder, { recursive: true }));
    const read = (text: string): ReturnType<typeof readGasPrices> => {
      const file = path.join(folder, "gas.csv");
      writeFileSync(file, text);
      return readGasPrices(file, 200_000);
    };

    it("is base fee times gas times the price of ether, paid as it is and known a lag later", async () => {
      const gas = await read(`observed_at,base_fee_gwei,eth_usd\n${START},10,2000\n${FROM + HOUR},50,3000\n`);
      const { gasUsd, knowledge } = market([whole], { gas });
      expect(gasUsd[0]).to.be.closeTo(4, 1e-12);
      expect([...gasUsd.slice(0, 3)]).to.deep.equal([...gasUsd.slice(0, 1), gasUsd[1], gasUsd[1]]);
      expect(gasUsd[1]).to.be.closeTo(30, 1e-12);
      expect([...knowledge.gasUsd.slice(0, 3)]).to.deep.equal([gasUsd[0], gasUsd[0], gasUsd[1]]);
    });

    it("is refused where it begins too late, is not sorted or is no price", async () => {
      const codeOf = async (work: () => unknown): Promise<string> => {
        try {
          await work();
        } catch (error) {
          if (error instanceof InputFailure) return `${error.code} ${error.field}`;
          throw error;
        }
        return "taken";
      };
      const head = "observed_at,base_fee_gwei,eth_usd\n";
      const late = await read(`${head}${FROM},10,2000\n`);
      expect(await codeOf(() => market([whole], { gas: late }))).to.equal("BACKTEST_GAS --gas-history");
      expect(await codeOf(() => read(`${head}5,10,2000\n5,11,2000\n`))).to.match(
        /^BACKTEST_GAS .*line 3, column observed_at$/,
      );
      expect(await codeOf(() => read(`${head}5,-1,2000\n`))).to.match(/^IMPORT_MALFORMED .*line 2, column 2$/);
      expect(await codeOf(() => read(`${head}5,1,\n`))).to.match(/^IMPORT_MALFORMED .*line 2, column 3$/);
      expect(gasOn(late, { from: FROM - HOUR, every: HOUR, count: 2 })[0]).to.be.NaN;
    });
  });
});
