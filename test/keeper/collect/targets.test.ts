import { expect } from "chai";
import { targetsOf } from "../../../keeper/collect/targets";
import { InputFailure } from "../../../keeper/config/failure";
import { configSchema, type CollectTarget } from "../../../keeper/config/schema";
import { A, addresses } from "../chain/fixtures/lensAnswer";

const chain = { rpcUrls: ["http://127.0.0.1:8545"] };
const parsed = (targets: readonly unknown[]): CollectTarget[] =>
  configSchema.parse({ chain, collect: { targets } }).collect.targets;
const feed = { kind: "chainlink", subject: "usdc-usd", feed: A("5"), heartbeatSeconds: 86_400 };

describe("what is collected", () => {
  it("is every venue of the address file under its id, pools by their events too", () => {
    const { sources, pools } = targetsOf(addresses, [], { assetUsd: 1 });
    expect(sources.map(({ source, subject }) => `${source} ${subject}`)).to.deep.equal([
      "aave-v3 aave-v3-usdc",
      "compound-v3 compound-v3-usdc",
      "erc4626 savings-usdc",
      "erc4626 sky-usds",
      "curve curve-3pool",
      "uniswap-v3 uniswap-usdt",
    ]);
    expect(pools).to.deep.equal([
      { source: "curve", subject: "curve-3pool", pool: A("3c") },
      { source: "uniswap-v3", subject: "uniswap-usdt", pool: A("4c") },
    ]);
  });

  it("is what the config names besides, in its order, at a dollar a unit where it says nothing", () => {
    const targets = parsed([
      feed,
      { kind: "aave-v3", subject: "aave-v3-dai", pool: A("1"), asset: A("2") },
      { kind: "compound-v3", subject: "compound-v3-weth", comet: A("3"), usd: 3_000 },
      { kind: "curve", subject: "frax-usdc", pool: A("4"), token: A("5"), coins: 2 },
      { kind: "erc4626", subject: "morpho", vault: A("6") },
      { kind: "uniswap-v3", subject: "usdc-weth", pool: A("7") },
    ]);
    const { sources, pools } = targetsOf(null, targets, { assetUsd: 1 });
    expect(sources.map(({ subject }) => subject)).to.deep.equal([
      ...["usdc-usd", "aave-v3-dai", "compound-v3-weth", "frax-usdc", "morpho", "usdc-weth"],
    ]);
    expect(pools).to.deep.equal([
      { source: "curve", subject: "frax-usdc", pool: A("4") },
      { source: "uniswap-v3", subject: "usdc-weth", pool: A("7") },
    ]);
    expect(targets.map((target) => ("usd" in target ? target.usd : null))).to.deep.equal([null, 1, 3_000, 1, 1, null]);
  });

  it("is nothing more by default", () => {
    expect(parsed([])).to.deep.equal([]);
    expect(configSchema.parse({ chain }).collect.targets).to.deep.equal([]);
  });

  it("may be named once only", () => {
    for (const targets of [
      parsed([feed, feed]),
      parsed([feed, { kind: "erc4626", subject: "usdc-usd", vault: A("6") }]),
      parsed([{ kind: "erc4626", subject: "savings-usdc", vault: A("6") }]),
      parsed([{ kind: "uniswap-v3", subject: "uniswap-usdt", pool: A("6") }]),
    ]) {
      const collect = () => targetsOf(addresses, targets, { assetUsd: 1 });
      expect(collect).to.throw(InputFailure, "is collected twice").with.property("code", "COLLECTED_TWICE");
    }
  });

  const bad: [string, unknown][] = [
    ["an address that is none", { ...feed, feed: "0x12" }],
    ["a name in capitals", { ...feed, subject: "USDC" }],
    ["a heartbeat of nothing", { ...feed, heartbeatSeconds: 0 }],
    ["a kind that is none", { ...feed, kind: "oracle" }],
    ["a misspelt field", { ...feed, heartbeat: 1 }],
    ["a worthless unit", { kind: "erc4626", subject: "a", vault: A("6"), usd: 0 }],
    ["one coin", { kind: "curve", subject: "a", pool: A("4"), token: A("5"), coins: 1 }],
  ];
  for (const [what, target] of bad) {
    it(`is not ${what}`, () => {
      expect(() => parsed([target])).to.throw();
    });
  }
});
