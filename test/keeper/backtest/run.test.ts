import { expect } from "chai";
import { ConservationError, Ledger } from "../../../keeper/backtest/ledger";
import type { Market } from "../../../keeper/backtest/market";
import { Backtest, runBacktest, type Run, type RunOptions } from "../../../keeper/backtest/run";
import { hold } from "../../../keeper/backtest/strategies/hold";
import { periodic } from "../../../keeper/backtest/strategies/periodic";
import { type MarketTruth } from "../../../keeper/backtest/truth";
import { constantGas } from "../../../keeper/backtest/gasPrices";
import { market, restless, scripted, seriesOf, wave } from "./synthetic";

const FREE: RunOptions = { capital: 1e5, costBps: 0 };

const finalOf = ({ equity }: Run): number => equity.at(-1) as number;

describe("a run", () => {
  const a = seriesOf("aave-a", { apr: wave(0.05, 0.03, 300) });
  const b = seriesOf("aave-b", { apr: wave(0.06, 0.04, 170, 1) });

  it("of a hold without costs and delay is the index's own growth, for a price taker and in an infinitely deep market", () => {
    const indexGrowth = (m: Market): number => (m.truth[0] as MarketTruth).growth.reduce((x, g) => x * (1 + g), 1);
    const taker = market([a, b], { lagSeconds: 0 });
    expect(finalOf(runBacktest(taker, hold("aave-a", 0), FREE)) / 1e5).to.be.closeTo(indexGrowth(taker), 1e-9);
    const deep = seriesOf("aave-a", { apr: wave(0.05, 0.03, 300), supplied: () => 1e18, borrowed: () => 8e17 });
    const diluted = market([deep], { lagSeconds: 0, priceTaker: false });
    expect(finalOf(runBacktest(diluted, hold("aave-a", 0), FREE)) / 1e5).to.be.closeTo(indexGrowth(diluted), 1e-9);
  });

  it("of twice the money in a shallow market earns less than twice as much", () => {
    const shallow = seriesOf("aave-a", { apr: wave(0.05, 0.03, 300), supplied: () => 1e6, borrowed: () => 8e5 });
    const earned = (capital: number): number =>
      finalOf(runBacktest(market([shallow], { priceTaker: false }), hold("aave-a", 0), { ...FREE, capital })) - capital;
    expect(earned(1e5)).to.be.lessThan(2 * earned(5e4) * 0.93);
    expect(earned(1e5)).to.be.greaterThan(earned(5e4));
    // Beyond as much as the others hold, more money earns less in all.
    expect(earned(4e5)).to.be.greaterThan(0);
  });

  it("in steps of 5 min and of 1 h comes to the same: a hold to rounding, deposits of a tenth of a market to a hundred-thousandth", () => {
    for (const [priceTaker, bound] of [
      [true, 1e-11],
      [false, 1e-5],
    ] as const) {
      const shape = { apr: wave(0.05, 0.03, 300), supplied: wave(1e6, 1e5, 40), borrowed: wave(8e5, 5e4, 25) };
      const series = seriesOf("aave-a", { ...shape, delayMinutes: 25 });
      const [hours, fives] = [3600, 300].map((stepSeconds) =>
        finalOf(runBacktest(market([series], { stepSeconds, priceTaker }), hold("aave-a", 0), FREE)),
      ) as [number, number];
      expect(Math.abs(hours / fives - 1)).to.be.lessThan(bound);
    }
  });

  it("of one that moves, in steps of 5 min and of 1 h, differs by no more than rates differ for an hour a move", () => {
    const runs = [3600, 300].map((stepSeconds) => {
      const one = market([a, b], { stepSeconds });
      return runBacktest(one, periodic("best-history", { ...QUICK, top: 1 }), FREE);
    });
    const [hours, fives] = runs as [Run, Run];
    expect(hours.trades.length).to.be.within(2, 30);
    const bound = (hours.trades.length * 0.1) / 8_760;
    expect(Math.abs(finalOf(hours) / finalOf(fives) - 1)).to.be.lessThan(bound);
  });

  it("trades a step after the decision, at the first placement at once and for nothing", () => {
    const one = market([a, b], { gas: constantGas(15) });
    const run = runBacktest(one, scripted({ 0: [1, 0], 10: [0, 1] }), { capital: 1e5, costBps: 20, record: true });
    expect(run.holdings[0]).to.equal(1e5);
    expect(run.trades.map(({ step, decided, moves }) => [step, decided, moves])).to.deep.equal([[11, 10, 1]]);
    const at = (step: number): [number, number] => [
      run.holdings[2 * step] as number,
      run.holdings[2 * step + 1] as number,
    ];
    expect(at(10)[1]).to.equal(0);
    // Half of the cost where it leaves, gas, and half of the cost of what goes in.
    const left = at(10)[0] * (1 + (one.truth[0]?.growth[10] as number));
    expect(at(11)[0]).to.equal(0);
    expect(at(11)[1]).to.be.closeTo((left * 0.999 - 15) / 1.001, 1e-6);
    expect(run.trades[0]?.gasUsd).to.equal(15);
    expect(run.trades[0]?.feesUsd).to.be.closeTo(0.001 * (left + at(11)[1]), 1e-9);
    expect(run.equity[11]).to.be.closeTo(at(11)[1], 1e-6);
  });

  it("counts a move for each pair of a way out and a way in", () => {
    const c = seriesOf("aave-c", { apr: () => 0.04 });
    const one = market([a, b, c], { gas: constantGas(7) });
    const moves = (...path: readonly (readonly number[])[]): number[] =>
      runBacktest(one, scripted(Object.fromEntries(path.map((shares, k) => [k * 5, shares]))), FREE).trades.map(
        (trade) => trade.gasUsd / 7,
      );
    expect(moves([1, 0, 0], [0, 0.5, 0.5])).to.deep.equal([2]);
    expect(moves([0.5, 0.5, 0], [0, 0, 1])).to.deep.equal([2]);
    expect(moves([1, 0, 0], [0.5, 0, 0])).to.deep.equal([1]);
    expect(moves([0.5, 0, 0], [0.5, 0.5, 0])).to.deep.equal([1]);
    expect(moves([0.2, 0.3, 0.5], [0.2, 0.3, 0.5])).to.deep.equal([]);
  });

  it("leaves what is wanted nowhere as cash, which earns nothing", () => {
    const run = runBacktest(market([a]), scripted({ 0: [0.25] }), { ...FREE, record: true });
    expect(run.holdings[0]).to.equal(25_000);
    const grown = (market([a]).truth[0] as MarketTruth).growth.reduce((x, g) => x * (1 + g), 1);
    expect(finalOf(run)).to.be.closeTo(75_000 + 25_000 * grown, 1e-6);
  });

  it("waits for a venue without cash, takes what there is, and sends it where the rest went", () => {
    const FULL = 260;
    const dry = (hour: number): number => (hour < FULL ? 8e6 : hour < FULL + 20 ? 1.006e7 : 9e6);
    const stuck = seriesOf("aave-stuck", { apr: () => 0.05, supplied: () => 1e7, borrowed: dry, delayMinutes: 0 });
    const other = seriesOf("aave-other", { apr: () => 0.04 });
    const one = market([stuck, other], { priceTaker: false, gas: constantGas(1) });
    const run = runBacktest(one, scripted({ 0: [1, 0], 25: [0, 1] }), { ...FREE, record: true });
    const held = (step: number): number[] => [...run.holdings.slice(2 * step, 2 * step + 2)];
    // 60,000 of ours are lent out; the rest leaves at once.
    expect(held(26)[0]).to.be.closeTo(60_000, 20);
    expect(held(26)[1]).to.be.closeTo(40_000, 20);
    expect(held(39)[0]).to.be.closeTo(60_000, 20);
    expect(held(41)[0]).to.equal(0);
    expect(held(41)[1]).to.be.closeTo(1e5, 50);
    expect(run.waited).to.be.within(13, 15);
    expect(run.trades[0]?.partial).to.equal(true);
    expect(run.trades.at(-1)?.partial).to.equal(false);
    expect(run.trades.length).to.equal(2);
  });

  it("does not send an order that costs more than it moves", () => {
    const one = market([a, b], { gas: constantGas(600) });
    const run = runBacktest(one, scripted({ 0: [1, 0], 5: [0.995, 0.005], 9: [0.99, 0.01] }), FREE);
    expect(run.refused).to.equal(1);
    expect(run.trades.map(({ step }) => step)).to.deep.equal([10]);
    expect(run.trades[0]?.movedUsd).to.be.closeTo(1_000, 1);
  });

  it("does not let a strategy hold more than there is, or less than nothing", () => {
    for (const shares of [
      [0.7, 0.7],
      [-0.1, 1],
      [NaN, 1],
    ]) {
      expect(() => runBacktest(market([a, b]), scripted({ 0: shares }), FREE)).to.throw(RangeError, /scripted wants/);
    }
  });

  it("balances at every step, whatever is done, with costs, waits and dilution", () => {
    const dry = (hour: number): number => (hour % 30 < 7 ? 1.2e6 : 8e5);
    const shallow = seriesOf("aave-c", { apr: wave(0.1, 0.08, 90), supplied: () => 1e6, borrowed: dry });
    for (let seed = 0; seed < 12; seed += 1) {
      const one = market([a, b, shallow], { priceTaker: seed % 2 === 0, gas: constantGas(3) });
      const run = runBacktest(one, restless(seed, 3), { capital: 1e5, costBps: seed });
      expect(run.trades.length).to.be.greaterThan(30);
      if (seed % 2 === 1) expect(run.waited).to.be.greaterThan(0);
    }
  });

  it("goes on from where it stopped", () => {
    const one = market([a, b], { gas: constantGas(3) });
    const whole = runBacktest(one, restless(1, 2), FREE);
    const parts = new Backtest(one, restless(1, 2), FREE);
    let calls = 1;
    while (!parts.advance(50)) calls += 1;
    expect(calls).to.equal(Math.ceil(720 / 50));
    expect(parts.run().equity).to.deep.equal(whole.equity);
  });
});

const QUICK = { reviewHours: 48, windowHours: 24, top: 3, band: 0.05, mostGasShare: 1 };

describe("the books", () => {
  const truth = market([seriesOf("a", { apr: () => 0.05 })]).truth;

  it("do not balance when money appears, vanishes or was never there", () => {
    const tampered: ((ledger: Ledger) => void)[] = [
      (ledger) => (ledger.cash += 0.01),
      (ledger) => (ledger.held[0] = 2 * (ledger.held[0] as number)),
      (ledger) => (ledger.accrued += 0.01),
      (ledger) => (ledger.costs += 0.01),
      (ledger) => ledger.deposit(0, 60_000),
    ];
    for (const tamper of tampered) {
      const ledger = new Ledger(1e5, 1);
      ledger.deposit(0, 50_000);
      ledger.accrue(truth, 0);
      ledger.assertConserved(0, ledger.total);
      tamper(ledger);
      expect(() => ledger.assertConserved(0, ledger.total)).to.throw(ConservationError);
    }
  });

  it("book interest, costs and ways in and out to the cent", () => {
    const ledger = new Ledger(1e5, 1);
    ledger.deposit(0, 1e5);
    ledger.accrue(truth, 0);
    const interest = 1e5 * (truth[0]?.growth[0] as number);
    expect(ledger.accrued).to.be.closeTo(interest, 1e-9);
    ledger.withdraw(0, ledger.held[0] as number);
    expect(ledger.held[0]).to.equal(0);
    ledger.pay(3);
    expect(ledger.total).to.be.closeTo(1e5 + interest - 3, 1e-9);
    ledger.assertConserved(1, ledger.total);
  });
});
