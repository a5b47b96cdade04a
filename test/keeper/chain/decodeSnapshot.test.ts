import { expect } from "chai";
import { encodeBytes32String, getAddress } from "ethers";
import { decodeSnapshot } from "../../../keeper/chain/decodeSnapshot";
import { Failure } from "../../../keeper/config/failure";
import { A, KEEPER, VAULT, adapterView, addresses, hash, head, lensAnswer } from "./fixtures/lensAnswer";

const decode = (data: string, change: Partial<{ addresses: typeof addresses; head: typeof head }> = {}) =>
  decodeSnapshot(data, { addresses, head, ...change });

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(Failure);
    return (error as Failure).code;
  }
  return "none";
}

describe("decoding the lens's answer", () => {
  it("puts every field where it belongs", () => {
    const { adapters, ...vault } = decode(lensAnswer());
    expect(vault).to.deep.equal({
      chainId: 31_337,
      blockNumber: 1234,
      blockHash: head.hash,
      timestamp: 1_700_000_000,
      baseFeePerGas: 7_000_000_001n,
      vault: VAULT,
      asset: A("3"),
      assetDecimals: 6,
      shareDecimals: 18,
      opened: true,
      idle: 41n,
      totalAssets: 42n,
      accountedAssets: 43n,
      totalSupply: 44n,
      sharePrice: 45n,
      depositCap: 2n ** 256n - 1n,
      minimumIdle: 46n,
      maxRate: 47n,
      lossPerCall: 48n,
      lossBudget: { limit: 51n, windowSeconds: 86_400, available: 52n },
      turnoverBudget: { limit: 53n, windowSeconds: 3_600, available: 54n },
      breaker: "guardian-tripped",
      breakerUntil: Number.MAX_SAFE_INTEGER,
      keeper: KEEPER,
      isKeeper: true,
      planEpoch: 2n ** 70n,
      nextNonce: (2n << 64n) | 9n,
      groups: [{ name: "aave", relativeCap: 61n }],
    });
    expect(adapters.map((adapter) => adapter.id)).to.deep.equal([
      "aave-v3-usdc",
      "compound-v3-usdc",
      "savings-usdc",
      "sky-usds",
      "curve-3pool",
      "uniswap-usdt",
    ]);
    const { state, ...aave } = adapters[0] ?? {};
    expect(aave).to.deep.equal({
      id: "aave-v3-usdc",
      adapter: A("7"),
      venue: A("8"),
      receipt: getAddress(A("e")),
      kind: "aave-v3",
      exact: true,
      readable: true,
      quarantined: false,
      fairValue: 101n,
      exitValue: 102n,
      counted: 103n,
      maxDeposit: 104n,
      maxWithdraw: 105n,
      absoluteCap: 106n,
      relativeCap: 107n,
      groupMask: 108n,
    });
    expect(state).to.deep.equal({
      kind: "aave-v3",
      cash: 1n,
      borrowed: 2n,
      aTokenSupply: 3n,
      supplyCap: 4n,
      liquidityIndex: 5n,
      liquidityRate: 6n,
      variableBorrowRate: 7n,
      baseRate: 8n,
      slope1: 9n,
      slope2: 10n,
      optimalUsage: 11n,
      reserveFactorBps: 12n,
      active: true,
      frozen: false,
      paused: true,
    });
    expect(adapters[1]?.state).to.deep.equal({
      kind: "compound-v3",
      cash: 21n,
      supplied: 22n,
      borrowed: 23n,
      utilization: 24n,
      supplyKink: 25n,
      supplyBasePerSecond: 26n,
      supplySlopeLowPerSecond: 27n,
      supplySlopeHighPerSecond: 28n,
      supplyRatePerSecond: 29n,
      borrowRatePerSecond: 30n,
      supplyPaused: false,
      withdrawPaused: true,
    });
    expect(adapters[2]?.state).to.deep.equal({
      kind: "erc4626",
      totalAssets: 31n,
      totalShares: 32n,
      assetsPerShare: 33n,
      vaultMaxWithdraw: 34n,
    });
    expect(adapters[3]?.state).to.deep.equal({
      kind: "sky-savings",
      ratePerSecond: 41n,
      assetsPerShare: 42n,
      totalAssets: 43n,
      cash: 44n,
      room: 45n,
      tin: 46n,
      tout: 47n,
      sellingHalted: false,
      buyingHalted: true,
    });
    expect(adapters[4]?.state).to.deep.equal({
      kind: "curve-3pool",
      virtualPrice: 51n,
      receipts: 52n,
      held: 53n,
      balances: [54n, 55n, 56n],
      scales: [57n, 58n, 59n],
      amplification: 60n,
      fee: 61n,
      place: 2,
      dollars: [63n, 64n, 65n],
      slippage: 66n,
      steady: true,
    });
    expect(adapters[5]?.state).to.deep.equal({
      kind: "uniswap-v3",
      sqrtPrice: 71n,
      meanTick: -72,
      meanTicks: [-73, 74],
      windowSeconds: 75,
      liquidity: 76n,
      held: 77n,
      tickLower: -78,
      tickUpper: 79,
      halfWidth: 80,
      feeGrowthAsset: 81n,
      feeGrowthPaired: 82n,
      cash: 83n,
      pairedDecimals: 84,
      feePips: 85,
      assetFirst: true,
      tickSpacing: 87,
      oracleBound: 88,
      assetDollars: 89n,
      pairedDollars: 90n,
      slippage: 86n,
      steady: false,
    });
  });

  it("names venues by the address file, whatever the vault's order", () => {
    const adapters = [2, 0].map((index) => adapterView(index));
    expect(decode(lensAnswer({ adapters })).adapters.map((adapter) => adapter.id)).to.deep.equal([
      "savings-usdc",
      "aave-v3-usdc",
    ]);
  });

  it("keeps a venue that could not be read, without a state", () => {
    const adapters = [adapterView(0, { readable: false, state: "0x", kind: encodeBytes32String("") })];
    const [venue] = decode(lensAnswer({ adapters })).adapters;
    expect(venue?.state).to.equal(null);
    expect(venue?.kind).to.equal("aave-v3");
  });

  it("refuses an adapter that the file does not name, or names with another kind", () => {
    const stranger = [adapterView(0, { adapter: A("f") })];
    expect(codeOf(() => decode(lensAnswer({ adapters: stranger })))).to.equal("ADAPTER_UNKNOWN");
    const other = [adapterView(0, { kind: encodeBytes32String("erc4626") })];
    expect(codeOf(() => decode(lensAnswer({ adapters: other })))).to.equal("ADAPTER_UNKNOWN");
  });

  it("takes an unknown parent from a local chain that was just started again, and from no other", () => {
    const afterRestart = lensAnswer({ parentHash: hash("00") });
    expect(decode(afterRestart).blockNumber).to.equal(1234);
    const mainnet = { ...addresses, network: "mainnet" as const };
    expect(codeOf(() => decode(afterRestart, { addresses: mainnet }))).to.equal("SNAPSHOT_OF_ANOTHER_BLOCK");
  });

  it("refuses an answer from another block, branch, chain or vault than was asked for", () => {
    const another = "SNAPSHOT_OF_ANOTHER_BLOCK";
    expect(codeOf(() => decode(lensAnswer({ blockNumber: 1235n })))).to.equal(another);
    expect(codeOf(() => decode(lensAnswer({ parentHash: hash("ce") })))).to.equal(another);
    expect(codeOf(() => decode(lensAnswer({ timestamp: 1_700_000_001n })))).to.equal(another);
    expect(codeOf(() => decode(lensAnswer({ chainId: 1n })))).to.equal(another);
    expect(codeOf(() => decode(lensAnswer({ vault: A("f") })))).to.equal("LENS_OF_ANOTHER_VAULT");
  });

  it("refuses what no lens answers", () => {
    expect(codeOf(() => decode("0x"))).to.equal("LENS_GARBAGE");
    expect(codeOf(() => decode(lensAnswer().slice(0, 300)))).to.equal("LENS_GARBAGE");
    expect(codeOf(() => decode(lensAnswer({ adapters: [adapterView(0, { state: "0x1234" })] })))).to.equal(
      "LENS_GARBAGE",
    );
  });
});
