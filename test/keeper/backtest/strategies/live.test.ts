import { expect } from "chai";
import { runBacktest } from "../../../../keeper/backtest/run";
import { constantGas } from "../../../../keeper/backtest/gasPrices";
import type { Situation } from "../../../../keeper/backtest/strategy";
import { ewmaForecasts, live, type Forecasts, type LiveLimits } from "../../../../keeper/backtest/strategies/live";
import type { VenueState } from "../../../../keeper/chain/snapshot";
import { decide } from "../../../../keeper/decide/decide";
import type { Forecast } from "../../../../keeper/decide/strategy";
import { TIME_FRAMES } from "../../../../keeper/decide/timeFrames";
import { ewmaForecast } from "../../../../keeper/forecast/ewma";
import { seeded } from "../../../../scripts/bench/randomProblems";
import { holding, LIMITS, strategyInput } from "../../decide/vaultSnapshot";
import { BEFORE, market, seriesOf, START, wave } from "../synthetic";

const OWN: LiveLimits = {
  horizonHours: 168,
  minGainUsd: 5,
  noTradeBandBps: 1,
  cooldownSeconds: 3_600,
  maxShareOfVenue: 0.25,
};
const RUN = { capital: 1e6, costBps: 0 };
const WAD = 10n ** 18n;
const RAY = 10n ** 27n;

function situation(change: Partial<Situation>): Situation {
  return {
    ...{ step: 0, at: START + BEFORE * 3600, knownAt: START + (BEFORE - 1) * 3600 },
    ...{ held: new Float64Array(2), cash: 0, total: 0, gasUsd: 0, first: false, lastMovedAt: null },
    ...change,
  };
}

describe("the live decision over history", () => {
  const a = seriesOf("aave-a", { apr: wave(0.05, 0.03, 300) });
  const b = seriesOf("aave-b", { apr: wave(0.06, 0.04, 170, 1) });

  it("forecasts by the keeper's EWMA of the rows known, whether it is asked at each step or now and then", () => {
    const { knowledge } = market([a, b]);
    const [each, seldom] = [ewmaForecasts(24)(knowledge), ewmaForecasts(24)(knowledge)];
    for (let step = 0; step < 300; step += 1) {
      const now = situation({ step, knownAt: knowledge.grid.from + step * 3600 - 3600 });
      const forecast = each(1, now);
      if (step % 50 !== 7) continue;
      const known = knowledge.rows[1]?.[step] ?? 0;
      const observations = [...b.apr.slice(0, known)].map((apr, row) => ({
        apr,
        observedAt: b.observedAt[row] as number,
        availableAt: b.availableAt[row] as number,
      }));
      const whole = ewmaForecast(observations, now.knownAt, { halfLifeHours: 24 });
      expect(forecast).to.be.closeTo(whole?.apr ?? NaN, 1e-12);
      expect(seldom(1, now)).to.equal(forecast);
    }
  });

  it("dislikes the tail more after a month of swings, and as much as ever where it is not told to", () => {
    const on = market([seriesOf("safe", { apr: () => 0.05 }), seriesOf("shaky", { apr: () => 0.06 })]);
    // Within a week it comes with 4 in 10,000; of the worst thousandth it takes a fifth of what is there.
    const scenarios = [{ probability: 0.02, losses: { shaky: 0.5 } }];
    const tail = { kappa: 2.5e-4, confidence: 0.999, scenarios };
    const tolerance = { usualVolatility: 0.001, drawdownToDouble: 0.01, most: 4 };
    const wantedAfter = (limits: LiveLimits, swing: number): number[] => {
      const decider = live("x", limits, ewmaForecasts(24)).start(on.knowledge, { costBps: 0 });
      const wanted = new Float64Array(2);
      for (let day = 0; day < 20; day += 1) {
        const total = 1e6 * (1 + swing * (day % 2));
        const [step, held] = [day * 24, Float64Array.of(total, 0)];
        const at = on.grid.from + day * 86_400;
        wanted.set(held);
        decider.decide(situation({ step, at, knownAt: at - 3_600, held, total }), wanted);
      }
      return [...wanted].map((usd) => Math.round(usd / 1e4));
    };
    expect(wantedAfter({ ...OWN, tail, tolerance }, 0.01)).to.deep.equal([101, 0]);
    expect(wantedAfter({ ...OWN, tail, tolerance }, 0)).to.deep.equal([0, 100]);
    expect(wantedAfter({ ...OWN, tail }, 0.01)).to.deep.equal([0, 101]);
  });

  it("wants what the keeper plans for a vault that holds the same, knows the same and may do the same", () => {
    // Two venues of the vault as the chain shows them, and the same as rows; caps and minimum idle apart, which history
    // does not know.
    const random = seeded(77);
    const moved = { plan: 0, hold: 0, disagree: 0 };
    for (let round = 0; round < 160; round += 1) {
      const used = [0.6 + 0.3 * random(), 0.6 + 0.2 * random()] as const;
      const first = Math.floor(5.9e5 * random());
      const held = [first, random() < 0.5 ? 1e6 - first : Math.floor(4e5 * random())] as const;
      const gasUsd = 40 * random();
      const aave = aaveState(used[0], held[0]);
      const comet = cometState(used[1], held[1]);
      // Not above today's rates: how steep a curve is beyond what was seen, a row does not say.
      const forecasts = [aave.apr * (0.3 + 0.7 * random()), comet.apr * (0.3 + 0.7 * random())] as const;
      // Now and then a shorter time says otherwise.
      const otherwise = random() < 0.4 ? TIME_FRAMES[Math.floor(3 * random())] : undefined;
      const frames = [0, 1].map((v) =>
        TIME_FRAMES.map((hours) => ({
          hours,
          apr: hours === otherwise ? ([0, comet.apr][v] ?? NaN) : (forecasts[v] as number),
        })),
      );
      const units = (usd: number): bigint => BigInt(usd) * 10n ** 6n;
      const vault = holding({ "aave-v3-usdc": units(held[0]), "compound-v3-usdc": units(held[1]) });
      const open = { relativeCap: 2n * WAD, absoluteCap: 10n ** 18n, maxDeposit: 10n ** 18n };
      const adapters = vault.adapters.slice(0, 2).map((adapter, v) => ({
        ...{ ...adapter, ...open },
        state: v === 0 ? aave.state : comet.state,
      }));
      const total = vault.totalAssets;
      const budget = { limit: 4n * WAD, windowSeconds: 86_400, available: 4n * WAD };
      const base = { ...vault, adapters, minimumIdle: 0n, turnoverBudget: budget, accountedAssets: total };
      const output = decide(
        strategyInput({
          snapshot: { ...base, baseFeePerGas: 0n },
          forecasts: [
            { ...forecast("aave-v3-usdc", forecasts[0], aave.apr), frames: frames[0] },
            { ...forecast("compound-v3-usdc", forecasts[1], comet.apr), frames: frames[1] },
          ],
          limits: {
            ...{ ...LIMITS, ...OWN, minimumIdle: 0, minGainUsd: OWN.minGainUsd + gasUsd },
            venueCaps: { "aave-v3-usdc": 2, "compound-v3-usdc": 2 },
          },
        }),
      );
      const series = [
        seriesOf("aave-v3-usdc", { apr: () => aave.apr, ...amounts(aave) }),
        seriesOf("compound-v3-usdc", { apr: () => comet.apr, ...amounts(comet) }),
      ];
      const one = market(series, { priceTaker: false, capital: 1 });
      const limits = { ...OWN, minGainUsd: OWN.minGainUsd + gasUsd };
      const framed: Forecasts = (v, _now, hours) =>
        frames[v]?.find((frame) => frame.hours === hours)?.apr ?? (forecasts[v] as number);
      const decider = live("x", limits, () => framed).start(one.knowledge, { costBps: 0 });
      const now = situation({
        held: Float64Array.from(held),
        total: Number(total) / 1e6,
        cash: 1e6 - held[0] - held[1],
      });
      const wanted = now.held.slice();
      const moves = decider.decide(now, wanted);
      expect(moves, `round ${round}: ${output.reason}`).to.equal(output.action === "rebalance");
      if (output.action === "hold") {
        moved.hold += 1;
        if (output.code === "frames-disagree") moved.disagree += 1;
        continue;
      }
      moved.plan += 1;
      const planned = [...held] as number[];
      for (const { venue, assets } of output.moves) {
        const v = venue === "aave-v3-usdc" ? 0 : 1;
        planned[v] = (planned[v] as number) + Number(assets) / 1e6;
      }
      planned.forEach((usd, v) => expect(wanted[v], `round ${round}`).to.be.closeTo(usd, 2));
    }
    expect(moved.plan).to.be.greaterThan(30);
    expect(moved.hold).to.be.greaterThan(3);
    expect(moved.disagree).to.be.at.least(2);
  });

  it("waits for gas that is likely cheaper while that saves more than it loses, and not for long if it does not come", () => {
    // Gas of 40 USD, and of 10 in three of every eight hours; what was placed first has fallen enough at hour 306.
    const falling = seriesOf("a", { apr: (h) => (h < 302 ? 0.2 : 0.001) });
    const steady = seriesOf("b", { apr: () => 0.06 });
    const usual = (hour: number): number => (hour % 8 >= 5 ? 10 : 40);
    const moved = (gasPatienceHours: number, usd: (hour: number) => number): { hour: number; gas: number } => {
      const hours = Array.from({ length: 1_000 }, (_, hour) => hour);
      const gas = {
        at: Float64Array.from(hours, (hour) => START + hour * 3600),
        usd: Float64Array.from(hours, usd),
      };
      const strategy = live("x", { ...OWN, gasPatienceHours }, ewmaForecasts(1));
      const { trades } = runBacktest(market([falling, steady], { gas }), strategy, { capital: 1e5, costBps: 0 });
      return { hour: BEFORE + (trades[0]?.decided ?? NaN), gas: trades[0]?.gasUsd ?? NaN };
    };
    expect(moved(0, usual)).to.deep.equal({ hour: 306, gas: 40 });
    // Cheap from 309 on, known an hour later.
    expect(moved(8, usual)).to.deep.equal({ hour: 310, gas: 10 });
    const gone = moved(8, (hour) => (hour < 306 ? usual(hour) : 40));
    expect(gone.hour).to.be.within(310, 306 + 24);
    expect(gone.gas).to.equal(40);
    expect(moved(8, () => 40).hour).to.equal(306);
  });

  it("spreads over what does not fail together where it counts the tail of joint shocks", () => {
    const pools = ["aave-a", "aave-b"].map((name, v) =>
      seriesOf(name, { apr: () => 0.06 - 0.001 * v, supplied: () => 1e9, borrowed: () => 8e8 }),
    );
    const tail = {
      ...{ kappa: 0.001, confidence: 0.9999 },
      scenarios: ["aave-a", "aave-b"].map((id) => ({ probability: 0.03, losses: { [id]: 0.5 } })),
    };
    const placed = (limits: LiveLimits): number[] => {
      const one = market(pools, { priceTaker: true });
      const { holdings } = runBacktest(one, live("x", limits, ewmaForecasts(24)), { ...RUN, record: true });
      return [...holdings.slice(-2)];
    };
    expect(Math.min(...placed(OWN))).to.be.lessThan(1);
    expect(Math.min(...placed({ ...OWN, tail }))).to.be.greaterThan(3e5);
  });

  it("does not move again before its cooldown is over", () => {
    const jumpy = [seriesOf("a", { apr: wave(0.5, 0.4, 12) }), seriesOf("b", { apr: wave(0.5, 0.4, 12, 3) })];
    const trades = (cooldownSeconds: number): number[] =>
      runBacktest(
        market(jumpy, { gas: constantGas(0.1) }),
        live("x", { ...OWN, cooldownSeconds, horizonHours: 4 }, ewmaForecasts(0.5)),
        RUN,
      ).trades.map(({ step }) => step);
    const between = (steps: readonly number[]): number =>
      Math.min(...steps.slice(1).map((step, k) => step - (steps[k] as number)));
    expect(between(trades(20 * 3_600))).to.be.at.least(20);
    expect(between(trades(3_600))).to.be.lessThan(10);
  });

  it("counts gas and proportional costs against the gain", () => {
    const trades = (gas: number, costBps: number): number =>
      runBacktest(market([a, b], { gas: constantGas(gas) }), live("x", OWN, ewmaForecasts(24)), { ...RUN, costBps })
        .trades.length;
    const free = trades(1, 0);
    expect(free).to.be.greaterThan(3);
    expect(trades(400, 0)).to.be.lessThan(free);
    expect(trades(1, 30)).to.be.lessThan(free);

    // A week's gain of 1,131 USD for a fee of 1,000: enough for one who asks for 100, not for one who asks for 500.
    const falling = seriesOf("a", { apr: (h) => (h < 300 ? 0.2 : 0.001) });
    const steady = seriesOf("b", { apr: () => 0.06 });
    const moves = (minGainUsd: number): number =>
      runBacktest(market([falling, steady]), live("x", { ...OWN, minGainUsd }, ewmaForecasts(1)), {
        ...RUN,
        costBps: 10,
      }).trades.length;
    expect(moves(100)).to.equal(1);
    expect(moves(500)).to.equal(0);
  });

  it("does not open a second position for less than its gas", () => {
    // What was placed first falls at hour 300; of the two others, alike, each pays a little less to all of the money.
    const falling = seriesOf("aave-falling", {
      apr: (h) => (h < 300 ? 0.2 : 0.001),
      supplied: () => 1e12,
      borrowed: () => 8e11,
    });
    const pool = { apr: (h: number) => (h < 300 ? 0.01 : 0.06), supplied: () => 4e8, borrowed: () => 3.2e8 };
    const series = [falling, seriesOf("aave-b", pool), seriesOf("aave-c", pool)];
    const moves = (gas: number): number[] =>
      runBacktest(
        market(series, { priceTaker: false, gas: constantGas(gas) }),
        live("x", OWN, ewmaForecasts(1)),
        RUN,
      ).trades.map((trade) => trade.moves);
    expect(moves(0.01)[0]).to.equal(2);
    expect(moves(30)[0]).to.equal(1);
  });

  it("owns no more of a venue than its share of what could leave", () => {
    const small = seriesOf("aave-small", { apr: () => 0.2, supplied: () => 1e6, borrowed: () => 9e5 });
    const one = market([small, b], { priceTaker: false });
    const run = runBacktest(one, live("x", OWN, ewmaForecasts(24)), { ...RUN, record: true });
    expect(run.holdings[0]).to.be.closeTo(25_000, 1e-6);
  });
});

interface Seen {
  readonly state: VenueState;
  readonly supplied: number;
  readonly borrowed: number;
  readonly apr: number;
}

/** Without base rate, below the kink: what a row alone says all about. `ours` is in the cash. */
function aaveState(used: number, ours: number): Seen {
  const borrowed = Math.round(6e7 * used);
  const state: VenueState = {
    kind: "aave-v3",
    cash: BigInt(6e7 - borrowed + ours) * 10n ** 6n,
    borrowed: BigInt(borrowed) * 10n ** 6n,
    aTokenSupply: BigInt(6e7 + ours) * 10n ** 6n,
    supplyCap: 0n,
    liquidityIndex: RAY,
    liquidityRate: 0n,
    variableBorrowRate: 0n,
    baseRate: 0n,
    slope1: (6n * RAY) / 100n,
    slope2: (60n * RAY) / 100n,
    optimalUsage: (92n * RAY) / 100n,
    reserveFactorBps: 1000n,
    active: true,
    frozen: false,
    paused: false,
  };
  const u = borrowed / 6e7;
  return { state, supplied: 6e7, borrowed, apr: (0.06 / 0.92) * u * u * 0.9 };
}

function cometState(used: number, ours: number): Seen {
  const borrowed = Math.round(2e7 * used);
  const slope = (39n * WAD) / 1000n / 31_536_000n;
  const state: VenueState = {
    kind: "compound-v3",
    cash: BigInt(2e7 - borrowed + ours) * 10n ** 6n,
    supplied: BigInt(2e7 + ours) * 10n ** 6n,
    borrowed: BigInt(borrowed) * 10n ** 6n,
    utilization: 0n,
    supplyKink: (9n * WAD) / 10n,
    supplyBasePerSecond: 0n,
    supplySlopeLowPerSecond: slope,
    supplySlopeHighPerSecond: (3n * WAD) / 31_536_000n,
    supplyRatePerSecond: 0n,
    borrowRatePerSecond: 0n,
    supplyPaused: false,
    withdrawPaused: false,
  };
  return { state, supplied: 2e7, borrowed, apr: ((Number(slope) * 31_536_000) / 1e18) * (borrowed / 2e7) };
}

function amounts({ supplied, borrowed }: Seen): { supplied: () => number; borrowed: () => number } {
  return { supplied: () => supplied, borrowed: () => borrowed };
}

function forecast(venue: string, apr: number, currentApr: number): Forecast {
  return { venue, model: "ewma", apr, currentApr, historySeconds: 86_400 };
}
