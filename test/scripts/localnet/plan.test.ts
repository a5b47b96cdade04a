import { expect } from "chai";
import fc from "fast-check";
import type { LendingState, MarketAction, MarketState } from "../../../scripts/localnet/market/marketState";
import { nextActions, targetUtilization } from "../../../scripts/localnet/market/plan";
import { randomFor } from "../../../scripts/localnet/market/random";
import { USDC } from "../../../scripts/localnet/protocols/parameters";

const WAD = 10n ** 18n;
const NOW = 1_800_000_000;

const pool = (change: Partial<LendingState> = {}): LendingState => ({
  ...{ supplied: 60_000_000n * USDC, borrowed: 52_000_000n * USDC, cash: 8_000_000n * USDC, kink: (92n * WAD) / 100n },
  ...{ supplyRoom: 20_000_000n * USDC, borrowRoom: 20_000_000n * USDC },
  ...{ lent: 60_000_000n * USDC, owed: 52_000_000n * USDC, health: 2n * WAD, ...change },
});

const state = (change: Partial<MarketState> = {}): MarketState => ({
  ...{ block: 100, timestamp: NOW, slot: 100, aave: pool(), comet: pool({ kink: (9n * WAD) / 10n }) },
  ...{ savings: { totalAssets: 10_000_000n * USDC, reserve: 1_000_000n * USDC }, usdcTick: 0 },
  feeds: {
    usdc: { answer: 100_000_000n, updatedAt: NOW - 60 },
    usdt: { answer: 100_000_000n, updatedAt: NOW - 60 },
    eth: { answer: 300_000_000_000n, updatedAt: NOW - 60 },
  },
  purse: {
    ...{ marketUsdc: 50_000_000n * USDC, borrowerUsdc: 60_000_000n * USDC, borrowerWeth: 100_000n * WAD },
    ...{ traderUsdc: 10_000_000n * USDC, traderUsdt: 10_000_000n * USDC },
  },
  ...change,
});

const kinds = (actions: readonly MarketAction[]): readonly string[] => actions.map(({ kind }) => kind);

/** The market moves of many turns on the same state. */
const movesOver = (turns: number, of: MarketState): readonly MarketAction[] =>
  Array.from({ length: turns }, (_, turn) => nextActions({ ...of, slot: of.slot }, randomFor(1, turn))).flat();

describe("the market's plan", () => {
  it("is the same for the same state and seed, and another for another seed", () => {
    const plan = (seed: number): string =>
      JSON.stringify(
        Array.from({ length: 40 }, (_, slot) => nextActions(state({ slot }), randomFor(seed, slot))),
        (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value),
      );
    expect(plan(5)).to.equal(plan(5));
    expect(plan(5)).to.not.equal(plan(6));
  });

  it("makes one move a turn when nothing needs upkeep", () => {
    for (let slot = 0; slot < 200; slot += 1) {
      const actions = nextActions(state({ slot }), randomFor(3, slot));
      expect(actions).to.have.length(1);
      expect(["borrow", "repay", "supply", "withdraw", "swap"]).to.include(actions[0]?.kind);
    }
  });

  it("steers each pool over its kink and back within a period", () => {
    for (const [venue, period] of [
      ["aave", 48],
      ["comet", 40],
    ] as const) {
      const targets = Array.from({ length: period }, (_, slot) => targetUtilization(venue, slot, (9n * WAD) / 10n));
      expect(Math.max(...targets)).to.be.within(0.905, 0.95);
      expect(Math.min(...targets)).to.be.within(0.8, 0.85);
    }
  });

  it("moves utilisation towards the target from either side", () => {
    const towards = (borrowed: bigint): ReadonlySet<string> => {
      const at = { ...state({ slot: 12 }), aave: pool({ borrowed, owed: borrowed }) };
      const moves = movesOver(60, at).filter((action) => "venue" in action && action.venue === "aave");
      return new Set(kinds(moves));
    };
    expect([...towards(40_000_000n * USDC)].sort()).to.deep.equal(["borrow", "withdraw"]);
    expect([...towards(59_500_000n * USDC)].sort()).to.deep.equal(["repay", "supply"]);
  });

  it("keeps a pool near its usual size: the side that brings it back moves more often", () => {
    const share = (supplied: bigint, kind: string): number => {
      const lending = pool({ supplied, borrowed: (supplied * 7n) / 10n, cash: (supplied * 3n) / 10n });
      const moves = movesOver(300, { ...state({ slot: 12 }), aave: lending }).filter(
        (action) => "venue" in action && action.venue === "aave",
      );
      return moves.filter((action) => action.kind === kind).length / moves.length;
    };
    expect(share(70_000_000n * USDC, "withdraw")).to.be.above(0.75);
    expect(share(50_000_000n * USDC, "borrow")).to.be.above(0.75);
  });

  it("never asks for more than the caps, the cash and the purses allow", () => {
    const amount = fc.bigInt({ min: 0n, max: 70_000_000n * USDC });
    fc.assert(
      fc.property(
        fc.record({ supplied: amount, borrowed: amount, cash: amount, supplyRoom: amount, borrowRoom: amount }),
        fc.record({ lent: amount, owed: amount, marketUsdc: amount, borrowerUsdc: amount }),
        fc.nat(500),
        (venue, held, slot) => {
          const lending = pool({ ...venue, lent: held.lent, owed: held.owed });
          const at = state({ slot, aave: lending, comet: lending });
          const purse = { ...at.purse, marketUsdc: held.marketUsdc, borrowerUsdc: held.borrowerUsdc };
          for (const action of nextActions({ ...at, purse }, randomFor(9, slot))) {
            if (action.kind === "borrow") expect(action.amount <= least(venue.borrowRoom, venue.cash)).to.equal(true);
            if (action.kind === "withdraw") expect(action.amount <= least(held.lent, venue.cash)).to.equal(true);
            if (action.kind === "supply")
              expect(action.amount <= least(venue.supplyRoom, held.marketUsdc)).to.equal(true);
            if (action.kind === "repay") expect(action.amount <= least(held.owed, held.borrowerUsdc)).to.equal(true);
            if ("amount" in action) expect(action.amount > 0n).to.equal(true);
          }
        },
      ),
      { numRuns: 500, seed: 11 },
    );
  });

  it("adds collateral to a thin loan before anything else of the borrower, enough to be safe again", () => {
    const thin = state({ comet: pool({ health: (13n * WAD) / 10n, owed: 17_000_000n * USDC }) });
    const [first] = nextActions(thin, randomFor(1, 1));
    if (first?.kind !== "secure") throw new Error(`expected collateral, got ${String(first?.kind)}`);
    expect(first.venue).to.equal("comet");
    // At 3,000 USD and a threshold of 4/5 the added WETH lifts health by 0.6.
    const lift = (Number(first.amount) / 1e18) * 3_000 * 0.8;
    expect(lift / 17_000_000).to.be.closeTo(0.6, 0.001);
    expect(kinds(nextActions(state(), randomFor(1, 1)))).to.not.include("secure");
  });

  it("reports prices when they are half a heartbeat old, near par and near 3,000", () => {
    const old = state({ timestamp: NOW + 43_200 });
    const reports = nextActions(old, randomFor(2, 2)).filter((action) => action.kind === "report-price");
    expect(reports.map((report) => report.kind === "report-price" && report.feed)).to.deep.equal([
      "usdc",
      "usdt",
      "eth",
    ]);
    for (const report of reports) {
      if (report.kind !== "report-price") continue;
      const par = report.feed === "eth" ? 300_000_000_000 : 100_000_000;
      expect(Math.abs(Number(report.answer) / par - 1)).to.be.below(report.feed === "eth" ? 0.004 : 0.0002);
    }
    const hourOld = nextActions(state({ timestamp: NOW + 1_800 }), randomFor(2, 2));
    expect(hourOld.filter((action) => action.kind === "report-price")).to.have.length(1);
  });

  it("refills a savings reserve that runs low and purses that are nearly empty", () => {
    const low = state({ savings: { totalAssets: 10_000_000n * USDC, reserve: 99_999n * USDC } });
    const fund = nextActions(low, randomFor(1, 1)).find(({ kind }) => kind === "fund-savings");
    expect(fund).to.deep.equal({ actor: "market", kind: "fund-savings", amount: 400_001n * USDC });
    const poor = state();
    const broke = { ...poor, purse: { ...poor.purse, traderUsdt: 1n } };
    expect(nextActions(broke, randomFor(1, 1))[0]).to.include({ kind: "mint", token: "usdt", to: "trader" });
  });

  it("sells what is dear more often", () => {
    const sold = (usdcTick: number): number =>
      movesOver(300, { ...state({ usdcTick }), aave: settled(), comet: settled() }).filter(
        (action) => action.kind === "swap" && action.sell === "usdc",
      ).length;
    expect(sold(4)).to.be.above(280);
    expect(sold(-4)).to.be.below(20);
  });
});

/** A pool in which nobody can move, so that every turn is a swap. */
function settled(): LendingState {
  return pool({ borrowRoom: 0n, supplyRoom: 0n, lent: 0n, owed: 0n });
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
