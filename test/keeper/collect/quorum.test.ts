import { expect } from "chai";
import { RpcError, unreachable } from "../../../keeper/chain/failures";
import { wallClock } from "../../../keeper/collect/clock";
import { Quorum, type QuorumEndpoint } from "../../../keeper/collect/quorum";
import { InputFailure } from "../../../keeper/config/failure";
import type { KeeperEvent } from "../../../keeper/events/events";
import { HandClock, settled } from "./clocks";
import { failureOf } from "./failureOf";

const BLOCK = { blockHash: `0x${"ab".repeat(32)}`, requireCanonical: true };
const CALL = ["eth_call", [{ to: `0x${"11".repeat(20)}`, data: "0x01" }, BLOCK]] as const;

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
  readonly quorum: Quorum;
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
  const endpoints = Object.keys(answering).map((name): QuorumEndpoint => ({
    name,
    request: (method) => {
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
    expect(await quorum.read(...CALL)).to.equal("0x07");
    expect(asked()).to.deep.equal(["a", "b"]);
    expect(events).to.deep.equal([]);
  });

  it("takes bytes as equal in either case, and objects in any order of their members", async () => {
    const hex = stage(2, { a: says("0xAB"), b: says("0xab"), c: dead });
    expect(await hex.quorum.read(...CALL)).to.equal("0xAB");
    const objects = stage(2, { a: says({ x: "1", y: null }), b: says({ y: null, x: "1" }), c: dead });
    expect(await objects.quorum.read(...CALL)).to.deep.equal({ x: "1", y: null });
    for (const other of ["0x0ab", "0xab00", "0x", "ab", ["0xab"]]) {
      const { quorum } = stage(2, { a: says("0xab"), b: says(other), c: says("0xcd") });
      expect((await failureOf(quorum.read(...CALL))).code).to.equal("QUORUM_LACKING");
    }
  });

  const others: readonly (readonly [string, Answering, string])[] = [
    ["lies", says("0x08"), "disagreed"],
    ["lags and says so", lags, "lagged"],
    ["lags and says null", says(null), "lagged"],
    ["is dead", dead, "failed"],
    ["answers with an error of its own", refuses(-32_603, "internal error"), "failed"],
  ];
  for (const [name, answer, dissent] of others) {
    it(`outvotes one that ${name}, names it once, and asks it last for a while`, async () => {
      const { quorum, asked, events, clock } = stage(2, { bad: answer, b: says("0x07"), c: says("0x07") });
      expect(await quorum.read(...CALL)).to.equal("0x07");
      expect(asked()).to.deep.equal(["bad", "b", "c"]);
      expect(events).to.deep.equal([{ name: "quorum.dissent", endpoint: "bad", method: "eth_call", dissent }]);
      expect(await quorum.read(...CALL)).to.equal("0x07");
      expect(asked()).to.deep.equal(["b", "c"]);
      await clock.turnTo(1_030_000);
      await quorum.read(...CALL);
      expect(asked()).to.deep.equal(["bad", "b", "c"]);
      expect(events).to.have.length(1);
      // Its second rest is twice as long.
      await clock.turnTo(1_089_000);
      await quorum.read(...CALL);
      expect(asked()).to.deep.equal(["b", "c"]);
    });
  }

  it("waits for one that hangs no longer than its time, and no second time", async () => {
    const { quorum, asked, events, clock } = stage(2, { bad: hangs, b: says("0x07"), c: says("0x07") });
    const reading = quorum.read(...CALL);
    await clock.turnTo(1_005_000);
    expect(await reading).to.equal("0x07");
    expect(asked()).to.deep.equal(["bad", "b", "c"]);
    expect(events).to.deep.equal([{ name: "quorum.dissent", endpoint: "bad", method: "eth_call", dissent: "silent" }]);
    expect(await quorum.read(...CALL)).to.equal("0x07");
    expect(clock.sleepers).to.equal(0);
  });

  it("tells once that an endpoint is with the others again, and trusts it as before", async () => {
    const { quorum, asked, answering, events, clock } = stage(2, { a: says("0x08"), b: says("0x07"), c: says("0x07") });
    await quorum.read(...CALL);
    answering["a"] = says("0x07");
    await clock.turnTo(1_031_000);
    await quorum.read(...CALL);
    await quorum.read(...CALL);
    expect(events.slice(1)).to.deep.equal([{ name: "quorum.joined", endpoint: "a" }]);
    expect(asked().slice(-2)).to.deep.equal(["a", "b"]);
  });

  it("still asks those that rest when it cannot do without them", async () => {
    const { quorum, answering, asked } = stage(2, { a: dead, b: says("0x07"), c: says("0x07") });
    await quorum.read(...CALL);
    answering["a"] = says("0x09");
    answering["b"] = dead;
    answering["c"] = says("0x09");
    expect(await quorum.read(...CALL)).to.equal("0x09");
    asked();
    await quorum.read(...CALL);
    expect(asked()).to.deep.equal(["a", "c"]);
  });

  it("fails where too few agree, naming who said what, and blames none of those that answered", async () => {
    const answers = { a: says("0x07"), b: says("0x08"), c: lags, d: dead, e: says("0x07") };
    const { quorum, events, asked } = stage(3, answers);
    const failure = await failureOf(quorum.read(...CALL));
    expect(failure.code).to.equal("QUORUM_LACKING");
    expect(failure.exitCode).to.equal(1);
    expect(failure.message).to.equal(
      "no 3 endpoints agree on eth_call: answers of a and e, another of b; c lagged; d failed",
    );
    expect(events.map((event) => ("endpoint" in event ? event.endpoint : ""))).to.have.members(["c", "d"]);
    expect(asked()).to.have.members(["a", "b", "c", "d", "e"]);
  });

  it("fails where nobody answers", async () => {
    const { quorum, clock } = stage(2, { a: dead, b: hangs, c: hangs });
    const failing = failureOf(quorum.read(...CALL));
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
    expect(await quorum.read(...CALL)).to.equal("0x07");
  });

  it("takes a revert for an answer where enough agree on its data", async () => {
    const revert = refuses(3, "execution reverted", "0xdeadbeef");
    const { quorum } = stage(2, { a: revert, b: says("0x07"), c: revert });
    const failure = await failureOf(quorum.read(...CALL));
    expect(failure).to.be.instanceOf(RpcError);
    expect((failure as RpcError).data).to.equal("0xdeadbeef");
    const other = stage(2, { a: revert, b: refuses(3, "execution reverted", "0x01"), c: says("0xdeadbeef") });
    expect((await failureOf(other.quorum.read(...CALL))).code).to.equal("QUORUM_LACKING");
  });

  it("stops at once with its signal", async () => {
    const { quorum, events } = stage(2, { a: hangs, b: hangs, c: hangs });
    const stop = new AbortController();
    const reading = quorum.read(...CALL, { signal: stop.signal }).catch((error: unknown) => error);
    await settled();
    const reason = new Error("stop");
    stop.abort(reason);
    expect(await reading).to.equal(reason);
    expect(events).to.deep.equal([]);
  });

  it("reads nothing that is not pinned to a block", async () => {
    const { quorum, asked } = stage(1, { a: says("0x07") });
    for (const tag of ["latest", "pending", "safe", "finalized"]) {
      let thrown: unknown = null;
      await quorum.read("eth_call", [{}, tag]).catch((error: unknown) => (thrown = error));
      expect(thrown).to.be.instanceOf(TypeError);
    }
    expect(asked()).to.deep.equal([]);
  });

  it("cannot be of half or fewer, of more than there are, or of one endpoint under one name twice", () => {
    const endpoint = (name: string): QuorumEndpoint => ({ name, request: says("0x") });
    const quorum =
      (needed: number, ...names: string[]) =>
      () =>
        new Quorum({
          endpoints: names.map(endpoint),
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
