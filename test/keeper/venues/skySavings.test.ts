import { expect } from "chai";
import type { AdapterSnapshot } from "../../../keeper/chain/snapshot";
import { decide } from "../../../keeper/decide/decide";
import { modelOf } from "../../../keeper/venues/model";
import { observationsOf } from "../../../keeper/venues/observations";
import { skyApr, skyCostBps, type SkySavingsState } from "../../../keeper/venues/skySavings";
import { FORECASTS, LIMITS, snapshot, strategyInput } from "../decide/vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;
/** 4.5 % a year, compounded by the second. */
const RATE = 1000000001395766281313196627n;
const APR = Math.log(1.045);
/** 8 % a year. */
const HIGH = 1000000002440418608258400030n;

const state = (change: Partial<SkySavingsState> = {}): SkySavingsState => ({
  kind: "sky-savings",
  ratePerSecond: RATE,
  assetsPerShare: (11n * WAD) / 10n,
  totalAssets: 2_000_000_000n * USDC,
  cash: 3_000_000_000n * USDC,
  room: 400_000_000n * USDC,
  tin: 0n,
  tout: 0n,
  sellingHalted: false,
  buyingHalted: false,
  ...change,
});

/** The example vault with Sky in the place of its savings venue. */
function withSky(change: Partial<SkySavingsState> = {}, over: Partial<AdapterSnapshot> = {}) {
  const base = snapshot();
  const adapters = base.adapters.map((adapter): AdapterSnapshot =>
    adapter.kind === "erc4626"
      ? { ...adapter, id: "sky-usds", kind: "sky-savings", state: state(change), ...over }
      : adapter,
  );
  return { ...base, adapters };
}

const forecasts = FORECASTS.map((forecast) =>
  forecast.venue === "savings-usdc" ? { ...forecast, venue: "sky-usds", apr: 0.08, currentApr: 0.08 } : forecast,
);

/** What a plan puts into Sky, in whole USDC. */
function placed(change: Partial<SkySavingsState>, over: Partial<AdapterSnapshot> = {}, limits = LIMITS): number {
  const plan = decide(
    strategyInput({ snapshot: withSky({ ratePerSecond: HIGH, ...change }, over), forecasts, limits }),
  );
  if (plan.action === "hold") throw new Error(plan.reason);
  return Number(plan.moves.find((move) => move.venue === "sky-usds")?.assets ?? 0n) / 1e6;
}

describe("Sky savings", () => {
  it("pay the rate in force, as simple interest a year", () => {
    expect(skyApr(state())).to.be.closeTo(APR, 1e-9);
    expect(skyApr(state({ ratePerSecond: 10n ** 27n }))).to.equal(0);
  });

  it("are observed at first sight, whatever the index did before", () => {
    const seen = withSky();
    const first = observationsOf(seen, { availableAt: seen.timestamp, previous: [] });
    const row = first.find((candidate) => candidate.venue === "sky-usds");
    expect(row?.supplyApr).to.be.closeTo(APR, 1e-9);
    expect(row?.supplyAprWithoutUs).to.equal(row?.supplyApr);
    expect([row?.supplied, row?.borrowed, row?.borrowApr]).to.deep.equal([String(2_000_000_000n * USDC), null, null]);
    expect(row?.index).to.equal(String((11n * WAD) / 10n));
    const later = { ...withSky({ ratePerSecond: 10n ** 27n }), timestamp: seen.timestamp + 3_600 };
    const second = observationsOf(later, { availableAt: later.timestamp, previous: first });
    expect(second.find((candidate) => candidate.venue === "sky-usds")?.supplyApr).to.equal(0);
  });

  it("are modelled as a rate that our size does not move", () => {
    const sky = withSky().adapters.find((adapter) => adapter.kind === "sky-savings");
    if (sky === undefined) throw new Error("no Sky");
    expect(modelOf(sky, 6)).to.deep.equal({ kind: "fixed", apr: skyApr(state()) });
  });

  it("cost both fees once", () => {
    expect(skyCostBps({ tin: WAD / 1000n, tout: WAD / 500n })).to.equal(30);
  });

  it("get money in a plan, less where the PSM could not pay it back", () => {
    expect(placed({})).to.be.greaterThan(500_000);
    expect(placed({ cash: 300_000n * USDC })).to.be.closeTo(150_000, 1);
    expect(placed({}, { maxDeposit: 70_000n * USDC })).to.be.closeTo(70_000, 1);
  });

  it("get none where the fees eat what a horizon gains", () => {
    // 5 points more than the worst for a week are 10 basis points.
    expect(placed({ tin: WAD / 500n }), "20 bp in").to.equal(0);
    expect(placed({ tout: WAD / 500n }), "20 bp out").to.equal(0);
    expect(placed({ tin: WAD / 100_000n }), "0.1 bp in").to.be.greaterThan(500_000);
  });
});
