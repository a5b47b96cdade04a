import { expect } from "chai";
import { essenceOf, essenceOfOutcome } from "../../../keeper/chain/agreedReads";

const HASH = `0x${"ab".repeat(32)}`;
const asked = (method: string, ...params: unknown[]) => ({ id: 1, jsonrpc: "2.0" as const, method, params });
const range = (fromBlock: string, toBlock: string) => [{ fromBlock, toBlock }];

describe("reads that honest endpoints answer alike", () => {
  it("are of a block that is named by number or hash", () => {
    for (const block of ["0x5", HASH, { blockHash: HASH, requireCanonical: true }]) {
      expect(essenceOf(asked("eth_call", {}, block))).to.not.equal(null);
      expect(essenceOf(asked("eth_getTransactionCount", "0x", block))).to.not.equal(null);
    }
    expect(essenceOf(asked("eth_getBlockByHash", HASH, false))).to.not.equal(null);
  });

  it("are none of a moving tag, and none that are sent", () => {
    for (const tag of ["latest", "pending", "safe", "finalized", "earliest", undefined, null]) {
      expect(essenceOf(asked("eth_call", {}, tag)), String(tag)).to.equal(null);
      expect(essenceOf(asked("eth_getBlockByNumber", tag, false)), String(tag)).to.equal(null);
      expect(essenceOf(asked("eth_getLogs", { fromBlock: "0x1", toBlock: tag })), String(tag)).to.equal(null);
    }
    for (const method of ["eth_sendRawTransaction", "eth_chainId", "eth_estimateGas", "eth_feeHistory"]) {
      expect(essenceOf(asked(method, "0x1", "0x2")), method).to.equal(null);
    }
  });

  it("take a call's bytes whole, and of a block what it is known by", () => {
    expect(essenceOf(asked("eth_call", {}, "0x5"))?.("0xAB")).to.equal("0xAB");
    const block = { number: "0x5", hash: HASH, parentHash: HASH, timestamp: "0x1", baseFeePerGas: "0x7", size: "0x9" };
    const of = essenceOf(asked("eth_getBlockByNumber", "0x5", false));
    expect(of?.(block)).to.deep.equal(
      of?.({ ...block, hash: HASH.toUpperCase(), size: "0x8", totalDifficulty: "0x0" }),
    );
    for (const change of [{ hash: HASH.replace("ab", "ac") }, { timestamp: "0x2" }, { baseFeePerGas: "0x8" }]) {
      expect(of?.(block)).to.not.deep.equal(of?.({ ...block, ...change }));
    }
    expect(of?.("nonsense")).to.equal("nonsense");
  });

  it("take of logs and receipts what the protocol says, whatever else a node adds", () => {
    const log = { address: "0xAA", topics: ["0xBB"], data: "0x01", blockNumber: "0x5", blockHash: HASH };
    const logs = essenceOf(asked("eth_getLogs", ...range("0x1", "0x5")));
    expect(logs?.([log])).to.deep.equal(logs?.([{ ...log, address: "0xaa", blockTimestamp: "0x1", removed: false }]));
    expect(logs?.([log])).to.not.deep.equal(logs?.([{ ...log, data: "0x02" }]));
    expect(logs?.([log])).to.not.deep.equal(logs?.([]));
    const receipt = { transactionHash: HASH, blockHash: HASH, blockNumber: "0x5", status: "0x1", logs: [log] };
    const of = essenceOfOutcome(asked("eth_getTransactionReceipt", HASH));
    expect(of?.(receipt)).to.deep.equal(of?.({ ...receipt, effectiveGasPrice: "0x1", type: "0x2" }));
    for (const change of [{ status: "0x0" }, { logs: [] }, { blockNumber: "0x6" }]) {
      expect(of?.(receipt)).to.not.deep.equal(of?.({ ...receipt, ...change }));
    }
  });
});
