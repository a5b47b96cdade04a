import { expect } from "chai";
import { AbiCoder } from "ethers";
import { chainlinkCollector } from "../../../keeper/collect/chainlink";
import type { BlockMoment } from "../../../keeper/collect/reading";

const NOW = 1_750_000_000;
const HOUR = 3_600;
const at: BlockMoment = { chainId: 1, number: 7, hash: `0x${"ab".repeat(32)}`, timestamp: NOW };
const feed = chainlinkCollector({ subject: "usdc-usd", feed: `0x${"a1".repeat(20)}`, heartbeatSeconds: HOUR });

/** Phase 6 of the proxy, round 1234 of its aggregator. */
const ROUND = (6n << 64n) | 1_234n;

function read(round: { readonly answer?: bigint; readonly updatedAt?: number; readonly id?: bigint }) {
  const { answer = 99_991_586n, updatedAt = NOW - HOUR, id = ROUND } = round;
  const coder = AbiCoder.defaultAbiCoder();
  const types = ["uint80", "int256", "uint256", "uint256", "uint80"];
  return feed.decode([coder.encode(types, [id, answer, updatedAt, updatedAt, id]), coder.encode(["uint8"], [8])], at);
}

describe("a round of Chainlink's", () => {
  it("keeps its number whole, of proxy and aggregator", () => {
    expect(read({}).state).to.include({ roundId: String(ROUND), answeredInRound: String(ROUND), answer: "99991586" });
  });

  it("is stale from the first second after the heartbeat", () => {
    expect(read({ updatedAt: NOW - HOUR }).state).to.include({ ageSeconds: HOUR, stale: false });
    expect(read({ updatedAt: NOW - HOUR - 1 }).state).to.include({ ageSeconds: HOUR + 1, stale: true });
    expect(read({ updatedAt: NOW }).state).to.include({ ageSeconds: 0, stale: false });
  });

  it("keeps an answer that is no price as it is, and makes no rate of any", () => {
    expect(read({ answer: 0n }).state["answer"]).to.equal("0");
    expect(read({ answer: -5n }).state["answer"]).to.equal("-5");
    expect(read({}).rates).to.equal(null);
  });

  it("is none of the future, and none without a number", () => {
    for (const round of [{ updatedAt: NOW + 1 }, { id: 0n }]) {
      expect(() => read(round))
        .to.throw(/the round/)
        .with.property("code", "SOURCE_GARBAGE");
    }
  });
});
