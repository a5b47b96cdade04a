// Sweeps that processes share, in every PostgreSQL that is here: each trial has one worker at a time and one result.
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../../keeper/store/records";
import type { TrialResult } from "../../../keeper/store/trialRecords";
import { onEveryServer } from "./fixtures/servers";

const TERMS = { leaseSeconds: 60, mostTries: 3 };
/** Long enough to be renewed, short enough to be waited for. */
const SHORT = { ...TERMS, leaseSeconds: 0.4 };

let sweeps = 0;
/** 32 hex digits that nobody else has. */
const hashed = (of: number): string => of.toString(16).padStart(32, "0");
const newSweep = (): string => hashed(++sweeps);

function result(seed: number): TrialResult {
  return { daily: Float64Array.of(1e6, 1e6 + seed), moves: seed, costsUsd: seed / 3, turnoverUsd: seed * 1e5 };
}

onEveryServer("trials that processes share", (open, server) => {
  let store: Store;
  before(() => {
    store = open();
  });
  const put = async (count: number, from = sweeps * 1_000): Promise<string> => {
    const sweep = newSweep();
    const keys = Array.from({ length: count }, (_, k) => hashed(from + k + 1e9));
    await store.trials.put(sweep, keys);
    return sweep;
  };

  it("are taken by one of many workers each, over two processes' connections", async () => {
    const sweep = await put(200);
    const other = await server().open();
    try {
      const taken: number[] = [];
      const work = async (of: Store): Promise<void> => {
        for (;;) {
          const trial = await of.trials.take(sweep, TERMS);
          if (trial === null) return;
          taken.push(trial.place);
          // Some are done at once, some stay in hand.
          if (trial.place % 3 > 0) await of.trials.complete(sweep, trial.place, result(trial.place));
        }
      };
      await Promise.all([store, other, store, other, store, other].map(work));
      expect(taken.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 200 }, (_, k) => k));
      expect(await store.trials.standing(sweep, TERMS.mostTries)).to.deep.equal({ left: 67, failed: null });
    } finally {
      await other.close();
    }
  });

  it("give back every bit of a result, and in their order", async () => {
    const sweep = await put(3);
    const odd = Float64Array.of(0.1 + 0.2, -0, 5e-324, Number.MAX_VALUE, 1e6 / 3);
    const first = { ...result(1), daily: odd, costsUsd: 0.1 + 0.2, turnoverUsd: 1e21 / 7 };
    await store.trials.complete(sweep, 2, result(2));
    await store.trials.complete(sweep, 0, first);
    const [a, b] = await store.trials.results(sweep, 0, 3);
    expect(a?.daily.every((value, k) => Object.is(value, odd[k]))).to.equal(true);
    expect(a).to.deep.equal(first);
    expect(b).to.deep.equal(result(2));
    expect(await store.trials.results(sweep, 1, 2)).to.deep.equal([]);
  });

  it("keep the first result, and what was done is not put again", async () => {
    const keys = [hashed(7e9), hashed(7e9 + 1)];
    const sweep = newSweep();
    await store.trials.put(sweep, keys);
    await store.trials.complete(sweep, 0, result(1));
    await store.trials.complete(sweep, 0, result(9));
    await store.trials.put(sweep, keys);
    expect(await store.trials.results(sweep, 0, 2)).to.deep.equal([result(1)]);
    expect((await store.trials.take(sweep, TERMS))?.place).to.equal(1);
    expect(await store.trials.take(sweep, TERMS)).to.equal(null);
  });

  it("are known already where another sweep had them", async () => {
    const [known, fresh] = [hashed(8e9), hashed(8e9 + 1)];
    const [first, second] = [newSweep(), newSweep()];
    await store.trials.put(first, [known]);
    await store.trials.complete(first, 0, result(5));
    await store.trials.put(second, [fresh, known]);
    expect(await store.trials.standing(second, TERMS.mostTries)).to.include({ left: 1 });
    expect(await store.trials.results(second, 0, 2)).to.deep.equal([result(5)]);
  });

  it("are another's when the lease of a worker that died has run out, and not while it is renewed", async () => {
    const sweep = await put(1);
    const lost = await store.trials.take(sweep, SHORT);
    for (let k = 0; k < 6; k++) {
      await store.trials.renew(sweep, [lost?.holder ?? ""], SHORT.leaseSeconds);
      expect(await store.trials.take(sweep, SHORT)).to.equal(null);
      await sleep(100);
    }
    await sleep(SHORT.leaseSeconds * 1_000);
    const next = await store.trials.take(sweep, TERMS);
    expect(next?.place).to.equal(0);
    expect(next?.holder).not.to.equal(lost?.holder);
    // The first one was only slow: it has nothing to renew, to give back or to fail.
    await store.trials.renew(sweep, [lost?.holder ?? ""], 0);
    await store.trials.giveBack(sweep, [lost?.holder ?? ""]);
    await store.trials.fail(sweep, lost?.holder ?? "", "late");
    expect(await store.trials.take(sweep, TERMS)).to.equal(null);
  });

  it("are tried a few times, handed back ones not counted, and again when they are put anew", async () => {
    const sweep = newSweep();
    const keys = [hashed(9e9)];
    await store.trials.put(sweep, keys);
    for (let k = 0; k < 5; k++) {
      const taken = await store.trials.take(sweep, TERMS);
      await store.trials.giveBack(sweep, [taken?.holder ?? ""]);
    }
    for (let k = 0; k < TERMS.mostTries; k++) {
      expect(await store.trials.standing(sweep, TERMS.mostTries)).to.deep.equal({ left: 1, failed: null });
      const taken = await store.trials.take(sweep, TERMS);
      await store.trials.fail(sweep, taken?.holder ?? "", `failure ${k}`);
    }
    expect(await store.trials.take(sweep, TERMS)).to.equal(null);
    const failed = { count: 1, place: 0, reason: "failure 2" };
    expect(await store.trials.standing(sweep, TERMS.mostTries)).to.deep.equal({ left: 1, failed });
    await store.trials.put(sweep, keys);
    expect((await store.trials.take(sweep, TERMS))?.place).to.equal(0);
  });
});
