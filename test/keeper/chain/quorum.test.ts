import { expect } from "chai";
import { RpcError, unreachable } from "../../../keeper/chain/failures";
import { wallClock } from "../../../keeper/chain/clock";
import { Quorum, type QuorumEndpoint } from "../../../keeper/chain/quorum";
import { InputFailure } from "../../../keeper/config/failure";
import type { KeeperEvent } from "../../../keeper/events/events";
import { HandClock, settled } from "./fixtures/clocks";
import { failureOf } from "../collect/failureOf";

interface Endpoint extends QuorumEndpoint {
  ask(method: string): Promise<unknown>;
}

const read = (quorum: Quorum<Endpoint>, signal?: AbortSignal): Promise<unknown> =>
  quorum.agree("eth_call", (endpoint) => endpoint.ask("eth_call"), signal === undefined ? {} : { signal });

type Answering = (method: string) => Promise<unknown>;
const says =
  (value: unknown): Answering =>
  async () =>
    value;
const refuses =
  (code: number, words: string, data: string | null = null): Answering =>
  async (method) => {
    throw new RpcError(method, code, words, data);
  };
const dead: Answering = async () => {
  throw unreachable("connection refused");
};
const hangs: Answering = () => new Promise(() => undefined);
const lags = refuses(-32_000, "header not found");

interface Stage {
  readonly quorum: Quorum<Endpoint>;
  readonly clock: HandClock;
  readonly events: KeeperEvent[];
  /** Names of those that were asked, in order; forgets them. */
  readonly asked: () => string[];
  readonly answering: Record<string, Answering>;
}

function stage(needed: number, answering: Record<string, Answering>): Stage {
  const log: string[] = [];
  const events: KeeperEvent[] = [];
  const clock = new HandClock(1_000_000);
  const endpoints = Object.keys(answering).map((name): Endpoint => ({
    name,
    ask: (method) => {
      log.push(name);
      return (answering[name] ?? dead)(method);
    },
  }));
  const sink = { emit: (event: KeeperEvent) => void events.push(event) };
  const quorum = new Quorum({ endpoints, needed, timeoutMs: 5_000, sink, clock });
  return { quorum, clock, events, answering, asked: () => log.splice(0) };
}

describe("a quorum of endpoints", () => {
  it("believes what enough of them say, and asks no more than these", async () => {
    const { quorum, asked, events } = stage(2, { a: says("0x07"), b: says("0x07"), c: says("0x07") });
    expect(await read(quorum)).to.equal("0x07");
    expect(asked()).to.deep.equal(["a", "b"]);
    expect(events).to.deep.equal([]);
  });

  it("takes bytes as equal in either case, and objects in any order of their members", async () => {
    const hex = stage(2, { a: says("0xAB"), b: says("0xab"), c: dead });
    expect(await read(hex.quorum)).to.equal("0xAB");
    const objects = stage(2, { a: says({ x: "1", y: null }), b: says({ y: null, x: "1" }), c: dead });
    expect(await read(objects.quorum)).to.deep.equal({ x: "1", y: null });
    for (const other of ["0x0ab", "0xab00", "0x", "ab", ["0xab"]]) {
      const { quorum } = stage(2, { a: says("0xab"), b: says(other), c: says("0xcd") });
      expect((await failureOf(read(quorum))).code).to.equal("QUORUM_LACKING");
    }
  });

  const others: readonly (readonly [string, Answering, string])[] = [
    ["lies", says("0x08"), "disagreed"],
    ["is dead", dead, "failed"],
    ["answers with an error of its own", refuses(-32_603, "internal error"), "failed"],
  ];
  for (const [name, answer, dissent] of others) {
    it(`outvotes one that ${name}, names it once, and asks it last for a while`, async () => {
      const { quorum, asked, events, clock } = stage(2, { bad: answer, b: says("0x07"), c: says("0x07") });
      expect(await read(quorum)).to.equal("0x07");
      expect(asked()).to.deep.equal(["bad", "b", "c"]);
      expect(events).to.deep.equal([{ name: "quorum.dissent", endpoint: "bad", method: "eth_call", dissent }]);
      expect(await read(quorum)).to.equal("0x07");
      expect(asked()).to.deep.equal(["b", "c"]);
      await clock.turnTo(1_030_000);
      await read(quorum);
      expect(asked()).to.deep.equal(["bad", "b", "c"]);
      expect(events).to.have.length(1);
      // Its second rest is twice as long.
      await clock.turnTo(1_089_000);
      await read(quorum);
      expect(asked()).to.deep.equal(["b", "c"]);
    });
  }

  for (const [name, answer] of [
    ["says so", lags],
    ["says null", says(null)],
  ] as const) {
    it(`asks one that is behind and ${name} last for a while, and names it once it is so time after time`, async () => {
      const { quorum, asked, events, clock } = stage(2, { bad: answer, b: says("0x07"), c: says("0x07") });
      for (const [again, at] of [1_000_000, 1_030_000, 1_090_000].entries()) {
        await clock.turnTo(at);
        expect(await read(quorum)).to.equal("0x07");
        expect(asked()).to.deep.equal(["bad", "b", "c"]);
        expect(events.length).to.equal(again < 2 ? 0 : 1);
        await read(quorum);
        expect(asked()).to.deep.equal(["b", "c"]);
      }
      expect(events).to.deep.equal([
        { name: "quorum.dissent", endpoint: "bad", method: "eth_call", dissent: "lagged" },
      ]);
    });
  }

  it("says nothing of one that was behind for a moment", async () => {
    const { quorum, answering, events, clock } = stage(2, { a: lags, b: says("0x07"), c: says("0x07") });
    for (let k = 0; k < 6; k += 1) {
      answering["a"] = k % 2 === 0 ? lags : says("0x07");
      await read(quorum);
      await clock.turnTo(clock.now() + 31_000);
    }
    expect(events).to.deep.equal([]);
  });

  it("is told that something is not there by as many as must agree, and blames nobody", async () => {
    const words = stage(2, { a: lags, b: says("0x07"), c: lags });
    expect(await failureOf(read(words.quorum))).to.be.instanceOf(RpcError);
    const nulls = stage(2, { a: says(null), b: says(null), c: says("0x07") });
    expect(await read(nulls.quorum)).to.equal(null);
    expect([...words.events, ...nulls.events]).to.deep.equal([]);
    const one = stage(2, { a: lags, b: says("0x07"), c: says("0x08") });
    expect((await failureOf(read(one.quorum))).code).to.equal("QUORUM_LACKING");
  });

  it("compares what it is told to, and gives the whole answer", async () => {
    const block = (number: string, size: string) => says({ number, size });
    const { quorum, events } = stage(2, { a: block("0x1", "0x9"), b: block("0x2", "0x9"), c: block("0x1", "0x8") });
    const essence = (answer: unknown): unknown => (answer as { number: string }).number;
    const agreed = await quorum.agree("eth_getBlockByNumber", (endpoint) => endpoint.ask(""), { essence });
    expect(agreed).to.deep.equal({ number: "0x1", size: "0x9" });
    expect(events).to.deep.include({
      ...{ name: "quorum.dissent", endpoint: "b" },
      ...{ method: "eth_getBlockByNumber", dissent: "disagreed" },
    });
  });

  describe("polled", () => {
    const poll = (quorum: Quorum<Endpoint>, enough = (_: readonly unknown[]) => false): Promise<unknown[]> =>
      quorum.poll("eth_blockNumber", (endpoint) => endpoint.ask(""), enough);

    it("gives what each says, without comparing", async () => {
      const { quorum, events } = stage(2, { a: says(1), b: says(2), c: says(3) });
      expect(await poll(quorum)).to.have.members([1, 2, 3]);
      expect(events).to.deep.equal([]);
    });

    it("waits for one that is silent only until the others' answers are enough", async () => {
      const { quorum, clock, events } = stage(2, { a: hangs, b: says(2), c: says(3) });
      expect(await poll(quorum, (answers) => answers.length === 2)).to.deep.equal([2, 3]);
      const patient = poll(quorum);
      await clock.turnTo(1_005_000);
      expect(await patient).to.deep.equal([2, 3]);
      expect(events).to.deep.equal([
        { name: "quorum.dissent", endpoint: "a", method: "eth_blockNumber", dissent: "silent" },
      ]);
    });

    it("does not ask those that rest, unless too few are left", async () => {
      const { quorum, asked, answering } = stage(2, { a: dead, b: says(2), c: says(3) });
      await poll(quorum);
      asked();
      await poll(quorum);
      expect(asked()).to.deep.equal(["b", "c"]);
      answering["b"] = dead;
      answering["a"] = says(1);
      await failureOf(poll(quorum));
      expect(await poll(quorum)).to.have.members([1, 3]);
    });

    it("fails where fewer answer than must agree", async () => {
      const { quorum } = stage(2, { a: dead, b: says(null), c: says(3) });
      const failure = await failureOf(poll(quorum));
      expect(failure.code).to.equal("QUORUM_LACKING");
      expect(failure.message).to.contain("a failed").and.contain("b lagged");
    });
  });

  it("waits for one that hangs no longer than its time, and no second time", async () => {
    const { quorum, asked, events, clock } = stage(2, { bad: hangs, b: says("0x07"), c: says("0x07") });
    const reading = read(quorum);
    await clock.turnTo(1_005_000);
    expect(await reading).to.equal("0x07");
    expect(asked()).to.deep.equal(["bad", "b", "c"]);
    expect(events).to.deep.equal([{ name: "quorum.dissent", endpoint: "bad", method: "eth_call", dissent: "silent" }]);
    expect(await read(quorum)).to.equal("0x07");
    expect(clock.sleepers).to.equal(0);
  });

  it("tells once that an endpoint is with the others again, and trusts it as before", async () => {
    const { quorum, asked, answering, events, clock } = stage(2, { a: says("0x08"), b: says("0x07"), c: says("0x07") });
    await read(quorum);
    answering["a"] = says("0x07");
    await clock.turnTo(1_031_000);
    await read(quorum);
    await read(quorum);
    expect(events.slice(1)).to.deep.equal([{ name: "quorum.joined", endpoint: "a" }]);
    expect(asked().slice(-2)).to.deep.equal(["a", "b"]);
  });

  it("names one that lies about one thing once, however honest it is about another", async () => {
    const { quorum, events, clock } = stage(2, { a: says("0x07"), b: says("0x07"), c: says("0x07") });
    const ask = (method: string): Promise<unknown> =>
      quorum.agree(method, async ({ name }) => (name === "a" && method === "eth_call" ? "0x08" : "0x07"));
    for (let k = 0; k < 4; k += 1) {
      for (const method of ["eth_call", "eth_getBlockByNumber"]) expect(await ask(method)).to.equal("0x07");
      await clock.turnTo(clock.now() + 16 * 60_000);
    }
    expect(events.map(({ name }) => name)).to.deep.equal(["quorum.dissent"]);
  });

  it("does not take the answer to an earlier question for a change of heart", async () => {
    let late: (value: string) => void = () => undefined;
    const answers = [new Promise<string>((resolve) => (late = resolve)), Promise.resolve("0x08")];
    const slowThenLying: Answering = () => answers.shift() ?? Promise.resolve("0x07");
    const { quorum, events, asked } = stage(2, { a: slowThenLying, b: says("0x07"), c: says("0x07") });
    const earlier = read(quorum);
    await settled();
    await read(quorum);
    late("0x07");
    await earlier;
    expect(events.map(({ name }) => name)).to.deep.equal(["quorum.dissent"]);
    asked();
    await read(quorum);
    expect(asked()).to.deep.equal(["b", "c"]);
  });

  it("still asks those that rest when it cannot do without them", async () => {
    const { quorum, answering, asked } = stage(2, { a: dead, b: says("0x07"), c: says("0x07") });
    await read(quorum);
    answering["a"] = says("0x09");
    answering["b"] = dead;
    answering["c"] = says("0x09");
    expect(await read(quorum)).to.equal("0x09");
    asked();
    await read(quorum);
    expect(asked()).to.deep.equal(["a", "c"]);
  });

  it("fails where too few agree, naming who said what, and blames none of those that answered", async () => {
    const answers = { a: says("0x07"), b: says("0x08"), c: lags, d: dead, e: says("0x07") };
    const { quorum, events, asked } = stage(3, answers);
    const failure = await failureOf(read(quorum));
    expect(failure.code).to.equal("QUORUM_LACKING");
    expect(failure.exitCode).to.equal(1);
    expect(failure.message).to.equal(
      "no 3 endpoints agree on eth_call: answers of a and e, another of b; c lagged; d failed",
    );
    expect(events.map((event) => ("endpoint" in event ? event.endpoint : ""))).to.deep.equal(["d"]);
    expect(asked()).to.have.members(["a", "b", "c", "d", "e"]);
  });

  it("fails where nobody answers", async () => {
    const { quorum, clock } = stage(2, { a: dead, b: hangs, c: hangs });
    const failing = failureOf(read(quorum));
    await clock.turnTo(1_005_000);
    await clock.turnTo(1_010_000);
    expect((await failing).message)
      .to.contain("a failed")
      .and.contain("b silent")
      .and.contain("c silent");
  });

  it("cannot be won by a liar that answers first or twice", async () => {
    const { quorum } = stage(3, {
      a: says("0x66"),
      b: says("0x66"),
      c: says("0x07"),
      d: says("0x07"),
      e: says("0x07"),
    });
    expect(await read(quorum)).to.equal("0x07");
  });

  it("takes a revert for an answer where enough agree on its data", async () => {
    const revert = refuses(3, "execution reverted", "0xdeadbeef");
    const { quorum } = stage(2, { a: revert, b: says("0x07"), c: revert });
    const failure = await failureOf(read(quorum));
    expect(failure).to.be.instanceOf(RpcError);
    expect((failure as RpcError).data).to.equal("0xdeadbeef");
    const other = stage(2, { a: revert, b: refuses(3, "execution reverted", "0x01"), c: says("0xdeadbeef") });
    expect((await failureOf(read(other.quorum))).code).to.equal("QUORUM_LACKING");
  });

  it("stops at once with its signal", async () => {
    const { quorum, events } = stage(2, { a: hangs, b: hangs, c: hangs });
    const stop = new AbortController();
    const reading = read(quorum, stop.signal).catch((error: unknown) => error);
    await settled();
    const reason = new Error("stop");
    stop.abort(reason);
    expect(await reading).to.equal(reason);
    expect(events).to.deep.equal([]);
  });

  it("cannot be of half or fewer, of more than there are, or of one endpoint under one name twice", () => {
    const quorum =
      (needed: number, ...names: string[]) =>
      () =>
        new Quorum({
          endpoints: names.map((name) => ({ name })),
          needed,
          timeoutMs: 1,
          sink: { emit: () => undefined },
          clock: wallClock,
        });
    for (const made of [
      quorum(1, "a", "b"),
      quorum(2, "a", "b", "c", "d"),
      quorum(3, "a", "b"),
      quorum(0),
      quorum(1.5, "a", "b"),
      quorum(2, "a", "a"),
    ]) {
      expect(made).to.throw(InputFailure).with.property("code", "QUORUM_IMPOSSIBLE");
    }
    expect(quorum(1, "a")).not.to.throw();
    expect(quorum(2, "a", "b")).not.to.throw();
  });
});
