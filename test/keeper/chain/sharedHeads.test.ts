import { expect } from "chai";
import { setImmediate as turn } from "node:timers/promises";
import type { Head } from "../../../keeper/chain/heads";
import { sharedHeads } from "../../../keeper/chain/sharedHeads";
import { head as sample } from "./fixtures/lensAnswer";

const headAt = (number: number, reorgedFrom: number | null = null): Head => ({ ...sample, number, reorgedFrom });

/** Heads by hand; counts who polls. */
function handStream() {
  let give: (head: Head) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const polls = { begun: 0, ended: 0 };
  async function* poll(signal: AbortSignal): AsyncGenerator<Head, void, void> {
    polls.begun += 1;
    const queue: Head[] = [];
    let failure: Error | null = null;
    let wake: () => void = () => undefined;
    give = (head) => {
      queue.push(head);
      wake();
    };
    fail = (error) => {
      failure = error;
      wake();
    };
    signal.addEventListener("abort", () => wake());
    for (;;) {
      if (signal.aborted) break;
      if (failure !== null) throw failure as Error;
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    polls.ended += 1;
  }
  return { poll, polls, give: (head: Head) => give(head), fail: (error: Error) => fail(error) };
}

async function settled(): Promise<void> {
  for (let k = 0; k < 10; k += 1) await turn();
}

describe("heads that several follow", () => {
  it("are polled once, and each follower gets them", async () => {
    const hand = handStream();
    const follow = sharedHeads(hand.poll);
    const stop = new AbortController();
    const seen: number[][] = [[], []];
    const followers = seen.map(async (own) => {
      for await (const { number } of follow(stop.signal)) own.push(number);
    });
    for (const number of [1, 2, 3]) {
      await settled();
      hand.give(headAt(number));
    }
    await settled();
    expect(seen).to.deep.equal([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(hand.polls).to.deep.equal({ begun: 1, ended: 0 });
    stop.abort();
    await Promise.all(followers);
    await settled();
    expect(hand.polls).to.deep.equal({ begun: 1, ended: 1 });
  });

  it("do not wait for the slow one, which gets the newest and where the first reorganisation began", async () => {
    const hand = handStream();
    const follow = sharedHeads(hand.poll);
    const stop = new AbortController();
    const slow = follow(stop.signal);
    const quick: number[] = [];
    const done = (async () => {
      for await (const { number } of follow(stop.signal)) quick.push(number);
    })();
    const first = slow.next();
    await settled();
    hand.give(headAt(10));
    expect((await first).value).to.deep.equal(headAt(10));
    for (const head of [headAt(11), headAt(9, 8), headAt(10, 9), headAt(11)]) {
      hand.give(head);
      await settled();
    }
    expect(quick).to.deep.equal([10, 11, 9, 10, 11]);
    expect((await slow.next()).value).to.deep.equal(headAt(11, 8));
    stop.abort();
    await done;
    expect((await slow.next()).done).to.equal(true);
  });

  it("begin with the current one for who comes later", async () => {
    const hand = handStream();
    const follow = sharedHeads(hand.poll);
    const stop = new AbortController();
    const early = follow(stop.signal);
    const first = early.next();
    await settled();
    hand.give(headAt(5, 4));
    await first;
    const late = follow(stop.signal);
    expect((await late.next()).value).to.deep.equal(headAt(5));
    stop.abort();
  });

  it("are polled anew when somebody follows after all had left", async () => {
    const hand = handStream();
    const follow = sharedHeads(hand.poll);
    for (const begun of [1, 2]) {
      const stop = new AbortController();
      const own = follow(stop.signal);
      const next = own.next();
      await settled();
      hand.give(headAt(begun));
      expect((await next).value?.number).to.equal(begun);
      stop.abort();
      await own.next();
      await settled();
      expect(hand.polls).to.deep.equal({ begun, ended: begun });
    }
  });

  it("fail for all when polling fails, and can be followed again", async () => {
    const hand = handStream();
    const follow = sharedHeads(hand.poll);
    const { signal } = new AbortController();
    const failed = [follow(signal), follow(signal)].map((own) => own.next().catch((error: unknown) => error));
    await settled();
    hand.fail(new TypeError("a defect"));
    for (const error of await Promise.all(failed)) expect(error).to.be.instanceOf(TypeError);
    const again = follow(signal).next();
    await settled();
    hand.give(headAt(7));
    expect((await again).value?.number).to.equal(7);
  });
});
