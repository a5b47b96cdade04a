// What neither the local chain nor the recorded state has, on answers as those contracts encode them: Aave V3 from 3.2 on,
// sDAI with its pot, a vault of shares with more decimals than its asset.
import { expect } from "chai";
import { AbiCoder, Interface, ZeroAddress, getAddress } from "ethers";
import { locateAaveV3 } from "../../../keeper/collect/aaveV3";
import { locateErc4626 } from "../../../keeper/collect/erc4626";
import type { LocatingStep } from "../../../keeper/collect/locate";
import type { BlockMoment, ChainCollector, ContractCall, Reading } from "../../../keeper/collect/reading";

const placed = (digits: string): string => getAddress(`0x${digits.repeat(20)}`);
const at: BlockMoment = { chainId: 1, number: 7, hash: `0x${"ab".repeat(32)}`, timestamp: 1_750_000_000 };
const RAY = 10n ** 27n;

/** By contract and signature: the values that it answers with; nothing else answers. */
type World = Record<string, Record<string, readonly unknown[]>>;

function answersIn(world: World, calls: readonly ContractCall[]): (string | null)[] {
  return calls.map(({ to, data }) => {
    for (const [signature, values] of Object.entries(world[getAddress(to)] ?? {})) {
      const fragment = new Interface([`function ${signature}`]).getFunction(signature.slice(0, signature.indexOf("(")));
      if (fragment?.selector !== data.slice(0, 10)) continue;
      return AbiCoder.defaultAbiCoder().encode(fragment.outputs, values);
    }
    return null;
  });
}

function reading(start: LocatingStep, world: World): { collector: ChainCollector; reading: Reading } {
  let step: LocatingStep | ChainCollector = start;
  while ("locating" in step) step = step.next(answersIn(world, step.locating));
  return { collector: step, reading: step.decode(answersIn(world, step.calls()), at) };
}

describe("sources that the local chain does not have", () => {
  const [pool, asset, aToken, debt, strategy] = ["a1", "a2", "a3", "a4", "a5"].map(placed) as [
    ...[string, string, string, string, string],
  ];
  // Decimals 6; active, borrowing; reserve factor 10 %; borrow cap 5, supply cap 9.
  const configuration = (6n << 48n) | (1n << 56n) | (1n << 58n) | (1_000n << 64n) | (5n << 80n) | (9n << 116n);
  const reserve =
    "(uint256,uint128,uint128,uint128,uint128,uint128,uint40,uint16,address,address,address,address,uint128,uint128,uint128)";
  const aave: World = {
    [pool]: {
      [`getReserveData(address) view returns ${reserve}`]: [
        ...[configuration, RAY + 1n, RAY / 20n, RAY + 2n, RAY / 10n, 0n, 1_749_999_000n, 3n],
        ...[aToken, ZeroAddress, debt, strategy, 11n, 12n, 13n],
      ],
      "getReserveNormalizedIncome(address) view returns (uint256)": [RAY + 5n],
      "getReserveNormalizedVariableDebt(address) view returns (uint256)": [2n * RAY],
      "getVirtualUnderlyingBalance(address) view returns (uint128)": [77n],
      "getReserveDeficit(address) view returns (uint256)": [3n],
    },
    [asset]: { "balanceOf(address) view returns (uint256)": [80n] },
    [aToken]: { "totalSupply() view returns (uint256)": [4_000_000n] },
    [debt]: { "scaledTotalSupply() view returns (uint256)": [1_500_000n] },
    [strategy]: {
      "getInterestRateDataBps(address) view returns (uint16,uint32,uint32,uint32)": [9_200n, 0n, 550n, 4_000n],
    },
  };

  it("are Aave V3 without stable debt, with virtual balance and one strategy for all reserves", () => {
    const { state, rates } = reading(locateAaveV3({ subject: "s", pool, asset, usd: 2 }), aave).reading;
    expect(state).to.include({
      ...{ supplied: "4000000", variableDebt: "3000000", stableDebt: "0", cash: "80" },
      ...{
        virtualBalance: "77",
        deficit: "3",
        unbacked: "12",
        accruedToTreasuryScaled: "11",
        lastUpdate: 1_749_999_000,
      },
      ...{ decimals: 6, active: true, frozen: false, borrowing: true, stableBorrowing: false, paused: false },
      ...{ reserveFactorBps: 1_000, borrowCap: "5", supplyCap: "9", strategy },
      optimalUsage: String((92n * RAY) / 100n),
      baseRate: "0",
      slope1: String((55n * RAY) / 1_000n),
      slope2: String((4n * RAY) / 10n),
    });
    expect(rates).to.deep.equal({
      ...{ suppliedUsd: 8, borrowedUsd: 6, supplyApr: 0.05, borrowApr: 0.1, index: String(RAY + 5n) },
    });
  });

  it("are a reserve whose strategy is of no known generation: its rates without its curve", () => {
    const { state, rates } = reading(locateAaveV3({ subject: "s", pool, asset, usd: 1 }), {
      ...aave,
      [strategy]: {},
    }).reading;
    expect(state).to.include({ optimalUsage: null, baseRate: null, slope1: null, slope2: null });
    expect(rates?.supplyApr).to.equal(0.05);
  });

  it("are not a reserve that the pool does not have", () => {
    const zeros = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, ...Array.from({ length: 4 }, () => ZeroAddress), 0n, 0n, 0n];
    const none = { [pool]: { [`getReserveData(address) view returns ${reserve}`]: zeros } };
    expect(() => reading(locateAaveV3({ subject: "s", pool, asset, usd: 1 }), none))
      .to.throw(/the reserve of this asset/)
      .with.property("code", "SOURCE_GARBAGE");
  });

  const [vault, dai, pot] = ["b1", "b2", "b3"].map(placed) as [string, string, string];
  const vaultOf = (decimals: { readonly share: bigint; readonly asset: bigint }, index: bigint): World => ({
    [vault]: {
      "asset() view returns (address)": [dai],
      "decimals() view returns (uint8)": [decimals.share],
      "totalAssets() view returns (uint256)": [1_250_000n * 10n ** decimals.asset],
      "totalSupply() view returns (uint256)": [10n ** 24n],
      "convertToAssets(uint256) view returns (uint256)": [index],
    },
    [dai]: { "decimals() view returns (uint8)": [decimals.asset] },
  });

  it("are sDAI, whose rate is its pot's", () => {
    const world = vaultOf({ share: 18n, asset: 18n }, 1_150_000_000_000_000_000n);
    world[vault] = { ...world[vault], "pot() view returns (address)": [pot] };
    // 1.000000001547125957863212448 a second: 5 % compounded, 4.879 % simple.
    world[pot] = { "dsr() view returns (uint256)": [RAY + 1_547_125_957_863_212_448n] };
    const { state, rates } = reading(locateErc4626({ subject: "sdai", vault, usd: 1 }), world).reading;
    expect(state).to.include({ ratePerSecond: String(RAY + 1_547_125_957_863_212_448n), assetDecimals: 18 });
    expect(rates?.supplyApr).to.be.closeTo(0.04879, 1e-5);
    expect(rates).to.include({
      suppliedUsd: 1_250_000,
      borrowedUsd: null,
      borrowApr: null,
      index: "1150000000000000000",
    });
  });

  it("are a vault without a rate, asked for so many shares that their price has 18 digits", () => {
    const world = vaultOf({ share: 18n, asset: 6n }, 1_050_000_000_000_000_000n);
    const { collector, reading: read } = reading(locateErc4626({ subject: "morpho", vault, usd: 1 }), world);
    const abi = new Interface(["function convertToAssets(uint256)"]);
    const call = collector
      .calls()
      .find(({ data }) => data.startsWith(abi.getFunction("convertToAssets")?.selector ?? "!"));
    expect(abi.decodeFunctionData("convertToAssets", call?.data ?? "0x")[0]).to.equal(10n ** 30n);
    expect(read.rates).to.deep.equal({
      ...{ suppliedUsd: 1_250_000, borrowedUsd: null, supplyApr: null, borrowApr: null, index: "1050000000000000000" },
    });
    expect(read.state["ratePerSecond"]).to.equal(null);
  });

  it("are not a vault whose rate shrinks money, or doubles it within seconds", () => {
    for (const rate of [RAY - 1n, 3n * RAY, 5n]) {
      const world = vaultOf({ share: 18n, asset: 18n }, 10n ** 18n);
      world[vault] = { ...world[vault], "ssr() view returns (uint256)": [rate] };
      expect(() => reading(locateErc4626({ subject: "s", vault, usd: 1 }), world))
        .to.throw(/the rate/)
        .with.property("code", "SOURCE_GARBAGE");
    }
  });
});
