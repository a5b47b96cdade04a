import { expect } from "chai";
import { Interface, type InterfaceAbi } from "ethers";
import type { ChainLog } from "../../../keeper/chain/logs";
import { curveTopics, decodeCurveLog, transferredAmount } from "../../../keeper/collect/curveLogs";
import { topicOf } from "../../../keeper/collect/logWords";

const TRADER = `0x${"ab".repeat(20)}`;
const MOST = 2n ** 256n - 1n;

/** As the pools of so many coins declare them: curve-contract, StableSwap of two, three and four coins. */
const abi = (coins: number): InterfaceAbi => [
  "event TokenExchange(address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought)",
  `event AddLiquidity(address indexed provider, uint256[${coins}] token_amounts, uint256[${coins}] fees, uint256 invariant, uint256 token_supply)`,
  `event RemoveLiquidity(address indexed provider, uint256[${coins}] token_amounts, uint256[${coins}] fees, uint256 token_supply)`,
  "event RemoveLiquidityOne(address indexed provider, uint256 token_amount, uint256 coin_amount)",
  `event RemoveLiquidityImbalance(address indexed provider, uint256[${coins}] token_amounts, uint256[${coins}] fees, uint256 invariant, uint256 token_supply)`,
  "event Transfer(address indexed from, address indexed to, uint256 value)",
];

function logOf(coins: number, name: string, args: readonly unknown[]): ChainLog {
  const made = new Interface(abi(coins)).encodeEventLog(name, args);
  return {
    address: `0x${"cc".repeat(20)}`,
    ...made,
    ...{ blockNumber: 7, blockHash: `0x${"01".repeat(32)}`, transactionHash: `0x${"02".repeat(32)}` },
    ...{ transactionIndex: 3, logIndex: 4, blockTimestamp: null },
  };
}

describe("logs of Curve's pools", () => {
  for (const coins of [2, 3, 4]) {
    const amounts = Array.from({ length: coins }, (_, place) => 10n ** BigInt(6 * place) + 1n);
    const fees = amounts.map((amount) => amount / 7n);
    const negative = amounts.map((amount) => -amount);
    const common = { sender: TRADER, liquidity: null };
    const expected: [string, readonly unknown[], object][] = [
      ["AddLiquidity", [TRADER, amounts, fees, 5n, MOST], { kind: "mint", amounts, fees, receipts: String(MOST) }],
      ["RemoveLiquidity", [TRADER, amounts, fees, 9n], { kind: "burn", amounts: negative, fees, receipts: "9" }],
      [
        "RemoveLiquidityImbalance",
        [TRADER, amounts, fees, 5n, 8n],
        { kind: "burn", amounts: negative, fees, receipts: "8" },
      ],
    ];
    it(`of ${coins} coins say what came and went of each, with fees and receipts`, () => {
      for (const [name, args, said] of expected) {
        const log = logOf(coins, name, args);
        expect(decodeCurveLog(log, coins), name).to.deep.equal({ ...common, ...said });
        expect(curveTopics(coins)[0]).to.include(log.topics[0]);
        expect(() => decodeCurveLog(log, coins + 1))
          .to.throw(/log 4 of block 7/)
          .with.property("code", "SOURCE_GARBAGE");
      }
    });

    it(`of ${coins} coins have a trade's coins in their places`, () => {
      const log = logOf(coins, "TokenExchange", [TRADER, coins - 1, 11n, 0, 12n]);
      const trade = new Array<bigint>(coins).fill(0n);
      [trade[coins - 1], trade[0]] = [11n, -12n];
      expect(decodeCurveLog(log, coins)).to.deep.equal({
        ...common,
        ...{ kind: "swap", amounts: trade, fees: null, receipts: null },
      });
    });
  }

  it("say of receipts burned for one coin how many and for how much, not for which", () => {
    const log = logOf(3, "RemoveLiquidityOne", [TRADER, 21n, 22n]);
    expect(decodeCurveLog(log, 3)).to.deep.equal({ kind: "burn-for-one", sender: TRADER, burned: 21n, amount: 22n });
  });

  it("are refused where they are no such log", () => {
    const trade = logOf(3, "TokenExchange", [TRADER, 1, 11n, 0, 12n]);
    const wrong: [string, ChainLog][] = [
      ["a coin beyond the last", logOf(3, "TokenExchange", [TRADER, 3, 11n, 0, 12n])],
      ["a coin before the first", logOf(3, "TokenExchange", [TRADER, 1, 11n, -1, 12n])],
      ["a coin for itself", logOf(3, "TokenExchange", [TRADER, 1, 11n, 1, 12n])],
      ["a word too few", { ...trade, data: trade.data.slice(0, -64) }],
      ["a word too many", { ...trade, data: `${trade.data}${"00".repeat(32)}` }],
      ["half a word", { ...trade, data: trade.data.slice(0, -2) }],
      ["no trader", { ...trade, topics: trade.topics.slice(0, 1) }],
      ["another event", { ...trade, topics: [topicOf(1n), trade.topics[1] ?? ""] }],
    ];
    for (const [what, log] of wrong) {
      expect(() => decodeCurveLog(log, 3), what)
        .to.throw()
        .with.property("code", "SOURCE_GARBAGE");
    }
    const transfer = logOf(3, "Transfer", [TRADER, TRADER, 5n]);
    expect(transferredAmount(transfer)).to.equal(5n);
    expect(() => transferredAmount(trade))
      .to.throw()
      .with.property("code", "SOURCE_GARBAGE");
  });
});
