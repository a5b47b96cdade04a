import { expect } from "chai";
import { id } from "ethers";
import type { PlanMove } from "../../../keeper/decide/strategy";
import { ALL_ASSETS, decodeRebalance, encodePlan } from "../../../keeper/execute/encode";

const A = "0x1111111111111111111111111111111111111111";
const B = "0x2222222222222222222222222222222222222222";
const C = "0x3333333333333333333333333333333333333333";
const moveOf = (adapter: string, assets: bigint, all = false): PlanMove => ({
  ...{ venue: "v", adapter, assets, all, minimum: 0n },
});
const planOf = (moves: readonly PlanMove[]) => ({
  moves,
  nonce: (7n << 64n) | 3n,
  deadline: 1_900_000_000,
  maxLoss: 12n,
});
const RECORD_HASH = id("record");

describe("calldata of a plan", () => {
  it("puts withdrawals first and keeps the order otherwise", () => {
    const calldata = encodePlan(planOf([moveOf(A, 5n), moveOf(B, -3n), moveOf(C, -2n)]), RECORD_HASH);
    expect(decodeRebalance(calldata)?.moves).to.deep.equal([
      { adapter: B, assets: -3n, data: "0x" },
      { adapter: C, assets: -2n, data: "0x" },
      { adapter: A, assets: 5n, data: "0x" },
    ]);
  });

  it("says `all` as the vault does, whatever the amount", () => {
    const calldata = encodePlan(planOf([moveOf(A, 5n), moveOf(B, -3n, true)]), RECORD_HASH);
    expect(decodeRebalance(calldata)?.moves[0]).to.deep.equal({ adapter: B, assets: ALL_ASSETS, data: "0x" });
  });

  it("gives an adapter the minimum of its move as it reads it, and nothing where there is none", () => {
    const calldata = encodePlan(planOf([moveOf(A, 5n), { ...moveOf(B, -3n, true), minimum: 258n }]), RECORD_HASH);
    expect(decodeRebalance(calldata)?.moves.map(({ data }) => data)).to.deep.equal([
      `0x${"102".padStart(64, "0")}`,
      "0x",
    ]);
  });

  it("carries nonce, deadline, loss bound and the decision", () => {
    const calldata = encodePlan(planOf([moveOf(A, 5n)]), RECORD_HASH);
    expect(decodeRebalance(calldata)?.guard).to.deep.equal({
      nonce: (7n << 64n) | 3n,
      deadline: 1_900_000_000n,
      maxLoss: 12n,
      decision: RECORD_HASH,
    });
  });

  it("decodes nothing but the canonical encoding of a rebalance", () => {
    const calldata = encodePlan(planOf([moveOf(A, 5n)]), RECORD_HASH);
    expect(decodeRebalance(calldata)).to.not.equal(null);
    expect(decodeRebalance(`${calldata}00`), "a byte more").to.equal(null);
    expect(decodeRebalance(calldata.slice(0, -2)), "a byte less").to.equal(null);
    expect(decodeRebalance(`0xdeadbeef${calldata.slice(10)}`), "another function").to.equal(null);
    expect(decodeRebalance("0x"), "nothing").to.equal(null);
    expect(decodeRebalance("no hex"), "no hex").to.equal(null);
  });
});
