// What neither the local chain nor the recorded state has, on answers as those contracts encode them.
import { expect } from "chai";
import { Interface, ZeroAddress } from "ethers";
import { locateAaveV3 } from "../../../keeper/collect/aaveV3";
import { locateErc4626 } from "../../../keeper/collect/erc4626";
import type { LocatingStep } from "../../../keeper/collect/locate";
import type { BlockMoment, ChainCollector, Reading } from "../../../keeper/collect/reading";
import {
  AAVE_3_2,
  AAVE_PLACES,
  DSR,
  METAMORPHO,
  RAY,
  RESERVE,
  SDAI,
  VAULT,
  answersIn,
  located,
  vaultOf,
  type World,
} from "./encodedContracts";

const at: BlockMoment = { chainId: 1, number: 7, hash: `0x${"ab".repeat(32)}`, timestamp: 1_750_000_000 };
const { pool, asset, strategy } = AAVE_PLACES;

function reading(start: LocatingStep, world: World): { collector: ChainCollector; reading: Reading } {
  const collector = located(start, world);
  return { collector, reading: collector.decode(answersIn(world, collector.calls()), at) };
}

describe("sources that the local chain does not have", () => {
  it("are Aave V3 without stable debt, with virtual balance and one strategy for all reserves", () => {
    const { state, rates } = reading(locateAaveV3({ subject: "s", pool, asset, usd: 2 }), AAVE_3_2).reading;
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
      ...AAVE_3_2,
      [strategy]: {},
    }).reading;
    expect(state).to.include({ optimalUsage: null, baseRate: null, slope1: null, slope2: null });
    expect(rates?.supplyApr).to.equal(0.05);
  });

  it("are not a reserve that the pool does not have", () => {
    const zeros = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, ...Array.from({ length: 4 }, () => ZeroAddress), 0n, 0n, 0n];
    const none = { [pool]: { [`getReserveData(address) view returns ${RESERVE}`]: zeros } };
    expect(() => reading(locateAaveV3({ subject: "s", pool, asset, usd: 1 }), none))
      .to.throw(/the reserve of this asset/)
      .with.property("code", "SOURCE_GARBAGE");
  });

  it("are sDAI, whose rate is its pot's", () => {
    const { state, rates } = reading(locateErc4626({ subject: "sdai", vault: VAULT, usd: 1 }), SDAI).reading;
    expect(state).to.include({ ratePerSecond: String(DSR), assetDecimals: 18 });
    expect(rates?.supplyApr).to.be.closeTo(0.04879, 1e-5);
    expect(rates).to.include({
      suppliedUsd: 1_250_000,
      borrowedUsd: null,
      borrowApr: null,
      index: "1150000000000000000",
    });
  });

  it("are a vault without a rate, asked for so many shares that their price has 18 digits", () => {
    const { collector, reading: read } = reading(
      locateErc4626({ subject: "morpho", vault: VAULT, usd: 1 }),
      METAMORPHO,
    );
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
      world[VAULT] = { ...world[VAULT], "ssr() view returns (uint256)": [rate] };
      expect(() => reading(locateErc4626({ subject: "s", vault: VAULT, usd: 1 }), world))
        .to.throw(/the rate/)
        .with.property("code", "SOURCE_GARBAGE");
    }
  });
});
