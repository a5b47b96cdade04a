import { expect } from "chai";
import { decide } from "../../../keeper/decide/decide";
import { FeeHistory, likelyLow } from "../../../keeper/decide/gasTiming";
import type { StrategyInput } from "../../../keeper/decide/strategy";
import { holding, strategyInput } from "./vaultSnapshot";

const HOUR = 3_600;
const GWEI = 10n ** 9n;
const USDC = 10n ** 6n;
const WAD = 10n ** 18n;

/** Base fees of a block every minute: 20 gwei, but for a quarter of an hour in every `everyHours` at 5. */
function fees(history: FeeHistory, hours: number, everyHours: number): void {
  for (let minute = 0; minute < hours * 60; minute += 1) {
    const low = minute % (everyHours * 60) < 15;
    history.add(minute * 60, (low ? 5n : 20n) * GWEI);
  }
}

/** A block every five minutes, `to` left out; hours. */
function steady(history: FeeHistory, { from, to, gwei }: { from: number; to: number; gwei: bigint }): void {
  for (let at = from * HOUR; at < to * HOUR; at += 300) history.add(at, gwei * GWEI);
}

describe("gas timing", () => {
  it("calls likely what four of five stretches came down to, and how long that took", () => {
    // Every tenth step is low: any ten steps have one, after five and a half on average; of a hundred stretches of eight
    // just four of five have one, of stretches of seven fewer.
    const values = (patience: number) => Array.from({ length: 100 + patience }, (_, k) => (k % 10 === 0 ? 1 : 9));
    expect(likelyLow(values(10), 10)).to.deep.equal({ value: 1, steps: 5.5 });
    expect(likelyLow(values(8), 8)).to.deep.equal({ value: 1, steps: 4.5 });
    expect(likelyLow(values(7), 7)?.value).to.equal(9);
  });

  it("says nothing of a past that is shorter than twice the patience, nor without patience", () => {
    expect(likelyLow([3, 2, 1], 2)).to.equal(null);
    expect(likelyLow([3, 2, 1, 1], 2)).to.not.equal(null);
    expect(likelyLow([3, 2, 1, 1], 0)).to.equal(null);
  });

  it("waits for a low that comes often enough, and says how long", () => {
    const often = new FeeHistory({ gasPatienceSeconds: 4 * HOUR });
    fees(often, 24, 3);
    const outlook = often.outlook();
    expect(outlook?.likelyBaseFee).to.equal(5n * GWEI);
    expect(outlook?.withinSeconds).to.equal(4 * HOUR);
    expect(outlook?.waitSeconds).to.be.within(HOUR, 2 * HOUR);
    const seldom = new FeeHistory({ gasPatienceSeconds: 4 * HOUR });
    fees(seldom, 24, 8);
    expect(seldom.outlook()?.likelyBaseFee).to.equal(20n * GWEI);
  });

  it("knows nothing before it has seen half a day, and nothing where nobody wants to wait", () => {
    const young = new FeeHistory({ gasPatienceSeconds: HOUR });
    fees(young, 11, 2);
    expect(young.outlook()).to.equal(null);
    const impatient = new FeeHistory({ gasPatienceSeconds: 0 });
    fees(impatient, 24, 2);
    expect(impatient.outlook()).to.equal(null);
  });

  it("stops waiting for what does not come any more", () => {
    const history = new FeeHistory({ gasPatienceSeconds: 4 * HOUR });
    fees(history, 24, 3);
    const likelyAfter = (hours: number): bigint | undefined => {
      for (let minute = 0; minute < hours * 60; minute += 1) history.add((24 * 60 + minute) * 60, 30n * GWEI);
      return history.outlook()?.likelyBaseFee;
    };
    expect(likelyAfter(3)).to.equal(5n * GWEI);
    expect(likelyAfter(9)).to.equal(30n * GWEI);
  });

  it("lets a fee hold until the next block, counts a block that comes late for nothing, and forgets after a day", () => {
    const history = new FeeHistory({ gasPatienceSeconds: HOUR });
    steady(history, { from: 0, to: 12, gwei: 9n });
    steady(history, { from: 20, to: 21, gwei: 7n });
    history.add(10 * HOUR, 1n);
    expect(history.outlook()?.likelyBaseFee).to.equal(9n * GWEI);
    steady(history, { from: 21, to: 44, gwei: 7n });
    expect(history.outlook()?.likelyBaseFee).to.equal(7n * GWEI);
  });

  it("counts what it saw, not how long ago it began: a silence makes no half day", () => {
    const history = new FeeHistory({ gasPatienceSeconds: HOUR });
    history.add(0, 7n * GWEI);
    history.add(23 * HOUR, 9n * GWEI);
    expect(history.outlook()).to.equal(null);
    const broken = new FeeHistory({ gasPatienceSeconds: HOUR });
    steady(broken, { from: 0, to: 6, gwei: 7n });
    steady(broken, { from: 17, to: 22, gwei: 7n });
    expect(broken.outlook()).to.equal(null);
    steady(broken, { from: 22, to: 23, gwei: 7n });
    expect(broken.outlook()?.likelyBaseFee).to.equal(7n * GWEI);
  });

  it("counts what it saw of the last day, to the last five minutes", () => {
    const history = new FeeHistory({ gasPatienceSeconds: HOUR });
    history.add(0, 7n * GWEI);
    steady(history, { from: 13, to: 25 - 1 / 12, gwei: 7n });
    expect(history.outlook(), "the first is a day old").to.equal(null);
    history.add(25 * HOUR, 7n * GWEI);
    expect(history.outlook()?.likelyBaseFee).to.equal(7n * GWEI);
  });
});

describe("a decision on gas", () => {
  const PLACED = { "savings-usdc": 590_000n * USDC, "compound-v3-usdc": 390_000n * USDC };
  const dear = (likelyGwei: bigint, waitSeconds: number, change: Partial<StrategyInput> = {}): StrategyInput =>
    strategyInput({
      snapshot: holding(PLACED, { baseFeePerGas: 20n * GWEI }),
      gas: { likelyBaseFee: likelyGwei * GWEI, waitSeconds, withinSeconds: 14_400 },
      ...change,
    });

  it("waits for gas that is likely cheaper before the gain is gone, and names what that saves and loses", () => {
    const output = decide(dear(5n, 1_800));
    expect(output).to.include({ action: "hold", code: "gas-cheaper-later" });
    expect(output.reason).to.match(
      /gas likely falls from 20\.000 to 5\.000 gwei within 4\.0 h: saves 31\.39 USD, while waiting 30 min loses 0\.\d\d USD/,
    );
  });

  it("moves now where waiting loses more than it saves, where nothing is saved, and where nothing is known", () => {
    expect(decide(dear(5n, 168 * 3_600)).action).to.equal("rebalance");
    expect(decide(dear(20n, 60)).action).to.equal("rebalance");
    expect(decide(dear(30n, 60)).action).to.equal("rebalance");
    // Under a tenth of the cost is noise.
    expect(decide(dear(19n, 1)).action).to.equal("rebalance");
    expect(decide(dear(5n, 60, { gas: undefined })).action).to.equal("rebalance");
  });

  it("does not wait with what a limit forces out", () => {
    const { adapters, ...vault } = holding(PLACED, { baseFeePerGas: 20n * GWEI });
    const capped = adapters.map((one) => (one.id === "savings-usdc" ? { ...one, relativeCap: WAD / 10n } : one));
    expect(decide(dear(5n, 60, { snapshot: { ...vault, adapters: capped } })).action).to.equal("rebalance");
  });
});
