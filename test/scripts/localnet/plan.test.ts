import { expect } from "chai";
import fc from "fast-check";
import type { LendingState, MarketAction, MarketState } from "../../../scripts/localnet/market/marketState";
import { nextActions, targetUtilization } from "../../../scripts/localnet/market/plan";
import { randomFor } from "../../../scripts/localnet/market/random";
import { DAI_PER_USDC, UNISWAP_RINGS, USDC } from "../../../scripts/localnet/protocols/parameters";

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
  threePool: {
    ...{ usdc: 6_000_000n * USDC, usdt: 6_000_000n * USDC },
    dai: 6_000_000n * USDC * DAI_PER_USDC,
  },
  feeds: {
    dai: { answer: 100_000_000n, updatedAt: NOW - 60 },
    usdc: { answer: 100_000_000n, updatedAt: NOW - 60 },
    usdt: { answer: 100_000_000n, updatedAt: NOW - 60 },
    eth: { answer: 300_000_000_000n, updatedAt: NOW - 60 },
    comp: { answer: 5_000_000_000n, updatedAt: NOW - 60 },
    aave: { answer: 20_000_000_000n, updatedAt: NOW - 60 },
  },
  purse: {
    ...{ marketUsdc: 50_000_000n * USDC, borrowerUsdc: 60_000_000n * USDC, borrowerWeth: 100_000n * WAD },
    ...{ traderUsdc: 10_000_000n * USDC, traderUsdt: 10_000_000n * USDC },
    traderDai: 10_000_000n * USDC * DAI_PER_USDC,
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

  it("makes one move a turn when nothing needs upkeep, or one in lending and one trade", () => {
    const both = Array.from({ length: 200 }, (_, slot) => {
      const actions = nextActions(state({ slot }), randomFor(3, slot));
      const traded = actions.filter(({ actor }) => actor === "trader");
      expect(actions.length).to.be.within(1, 2);
      expect(traded.length).to.be.within(actions.length - 1, 1);
      expect(actions.at(-1) === traded[0] || traded.length === 0, "the trade comes last").to.equal(true);
      for (const { kind } of actions) {
        expect(["borrow", "repay", "supply", "withdraw", "swap", "exchange"]).to.include(kind);
      }
      return actions.length === 2;
    });
    expect(both.filter((two) => two).length).to.be.within(50, 110);
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

  it("reports prices when they are half a heartbeat old, near par and near 3,000; those of rewards as they were", () => {
    const old = state({ timestamp: NOW + 43_200 });
    const reports = nextActions(old, randomFor(2, 2)).filter((action) => action.kind === "report-price");
    expect(reports.map((report) => report.kind === "report-price" && report.feed)).to.deep.equal([
      "usdc",
      "usdt",
      "dai",
      "eth",
      "comp",
      "aave",
    ]);
    const apart = { usdc: 0.0002, usdt: 0.0002, dai: 0.0002, eth: 0.004, comp: 0, aave: 0 };
    for (const report of reports) {
      if (report.kind !== "report-price") continue;
      const last = Number(old.feeds[report.feed].answer);
      expect(Math.abs(Number(report.answer) / last - 1)).to.be.at.most(apart[report.feed]);
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
    const withoutDai = { ...poor, purse: { ...poor.purse, traderDai: 4_999_999n * USDC * DAI_PER_USDC } };
    const [minted] = nextActions(withoutDai, randomFor(1, 1));
    expect(minted).to.include({ kind: "mint", token: "dai", amount: 20_000_000n * USDC * DAI_PER_USDC });
  });

  it("sells what is dear more often", () => {
    const sold = (usdcTick: number): number =>
      movesOver(300, { ...state({ usdcTick }), aave: settled(), comet: settled() }).filter(
        (action) => action.kind === "swap" && action.sell === "usdc",
      ).length;
    // About half of the turns; a rush goes either way.
    expect(sold(4)).to.be.within(115, 190);
    expect(sold(-4)).to.be.below(12);
  });

  it("sells to the 3pool what it has less of more often, in whatever pair, and each coin in its own unit", () => {
    const scarce = { dai: 2_000_000n * USDC * DAI_PER_USDC, usdc: 8_000_000n * USDC, usdt: 8_000_000n * USDC };
    const exchanges = tradesOf({ threePool: scarce }, "exchange");
    const withDai = exchanges.filter(({ sell, buy }) => sell === "dai" || buy === "dai");
    expect(withDai.filter(({ sell }) => sell === "dai").length / withDai.length).to.be.above(0.9);
    const others = exchanges.filter(({ sell, buy }) => sell !== "dai" && buy !== "dai");
    expect(others.filter(({ sell }) => sell === "usdc").length / others.length).to.be.within(0.35, 0.65);
    expect(new Set(exchanges.map(({ sell, buy }) => `${sell} ${buy}`)).size).to.be.at.least(4);
    for (const { sell, buy, amount } of exchanges) {
      const whole = amount / USDC / (sell === "dai" ? DAI_PER_USDC : 1n);
      const rushes = (scarce[buy] * 82n) / 100n / USDC / (buy === "dai" ? DAI_PER_USDC : 1n);
      expect(whole >= 20_000n && (whole < 800_000n || whole > (rushes * 9n) / 10n), String(whole)).to.equal(true);
    }
  });

  it("rushes out of a coin now and then: nearly all that the 3pool has of another, or past Uniswap's inner ring", () => {
    const exchanges = tradesOf({}, "exchange").map(({ sell, amount }) => inUsdc(sell, amount) / USDC);
    const rushes = exchanges.filter((whole) => whole > 800_000n);
    expect(rushes.length / exchanges.length).to.be.within(0.01, 0.05);
    for (const whole of rushes) expect(Number(whole) / 6_000_000).to.be.within(0.81, 0.87);

    const [inner, middle] = UNISWAP_RINGS;
    const swaps = tradesOf({}, "swap").map(({ amount }) => Number(amount));
    const far = swaps.filter((amount) => amount > Number(inner?.each));
    expect(far.length / swaps.length).to.be.within(0.01, 0.05);
    for (const amount of far) expect(amount).to.be.below(Number((inner?.each ?? 0n) + (middle?.each ?? 0n)));
  });

  it("never sells more of a coin than the trader has", () => {
    const poor = { ...state().purse, traderDai: 30_000n * USDC * DAI_PER_USDC, traderUsdc: 40_000n * USDC };
    const most = { dai: 0n, usdc: 0n, usdt: 0n };
    for (const { sell, amount } of tradesOf({ purse: poor }, "exchange")) {
      if (amount > most[sell]) most[sell] = amount;
    }
    expect([most.dai, most.usdc]).to.deep.equal([poor.traderDai, poor.traderUsdc]);
  });
});

type Trade<Kind> = Extract<MarketAction, { readonly kind: Kind }>;

/** The trades of a kind in 2,000 turns in which nobody lends or borrows. */
function tradesOf<Kind extends "swap" | "exchange">(change: Partial<MarketState>, kind: Kind): readonly Trade<Kind>[] {
  const at = { ...state(change), aave: settled(), comet: settled() };
  return movesOver(2_000, at).filter((action): action is Trade<Kind> => action.kind === kind);
}

function inUsdc(coin: string, amount: bigint): bigint {
  return coin === "dai" ? amount / DAI_PER_USDC : amount;
}

/** A pool in which nobody can move, so that every turn is a swap. */
function settled(): LendingState {
  return pool({ borrowRoom: 0n, supplyRoom: 0n, lent: 0n, owed: 0n });
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
