import { expect } from "chai";
import fc from "fast-check";
import { ContractFactory } from "ethers";
import {
  SECONDS_PER_YEAR,
  cometApr,
  cometModel,
  cometSupplyRate,
  cometUtilization,
  type CometMarket,
} from "../../../keeper/venues/compoundV3";
import { COMET } from "../../../scripts/localnet/protocols/parameters";
import { CometModel__factory } from "../../../typechain-types";
import { localNode, type LocalNode } from "../chain/fixtures/localNode";

const WAD = 10n ** 18n;
const perSecond = (aprBps: bigint): bigint => (aprBps * WAD) / 10_000n / SECONDS_PER_YEAR;

/** Mainnet's USDC market of May 2024: kink 0.9, 7.5 % and 360 % slopes. */
const USDC: CometMarket = {
  supplied: 400_000_000_000_000n,
  borrowed: 340_000_000_000_000n,
  supplyKink: (9n * WAD) / 10n,
  supplyBasePerSecond: 0n,
  supplySlopeLowPerSecond: perSecond(750n),
  supplySlopeHighPerSecond: perSecond(36_000n),
};

describe("Compound V3 rates", () => {
  it("are one line below the kink and a steeper one above it", () => {
    expect(cometUtilization(USDC)).to.equal((85n * WAD) / 100n);
    const low = cometSupplyRate(USDC, cometUtilization(USDC));
    expect(low).to.equal((USDC.supplySlopeLowPerSecond * 85n) / 100n);
    const above = cometSupplyRate(USDC, WAD);
    const atKink = (USDC.supplySlopeLowPerSecond * 9n) / 10n;
    expect(above).to.equal(atKink + USDC.supplySlopeHighPerSecond / 10n);
  });

  it("are zero utilisation without supply, and may exceed 1 where reserves lend", () => {
    expect(cometUtilization({ supplied: 0n, borrowed: 5n })).to.equal(0n);
    expect(cometUtilization({ supplied: 4n, borrowed: 5n })).to.equal((5n * WAD) / 4n);
  });

  it("make a model in whole units without our position, a year", () => {
    const model = cometModel(USDC, 1_500_000n, 6);
    expect(model).to.include({
      kind: "kinked-supply",
      supplied: 399_999_998.5,
      borrowed: 340_000_000,
      base: 0,
      kink: 0.9,
    });
    // The protocol's own rounding a second: 7.5 % loses less than a part in 10^9.
    expect(model.slopeLow).to.equal(Number(USDC.supplySlopeLowPerSecond * SECONDS_PER_YEAR) / 1e18);
    expect(model.slopeLow).to.be.closeTo(0.075, 1e-9);
    expect(cometApr(perSecond(325n))).to.be.closeTo(0.0325, 1e-10);
  });

  it("agree to the last digit with the model contract", async function () {
    this.timeout(60_000);
    const node: LocalNode = await localNode();
    try {
      // Answers every call with 6: tokens of six decimals.
      const token = `0x${"44".repeat(20)}`;
      await node.rpc("anvil_setCode", [token, "0x600660005260206000f3"]);
      const { data } = await new ContractFactory(
        CometModel__factory.abi,
        CometModel__factory.bytecode,
      ).getDeployTransaction({
        ...COMET,
        governor: token,
        pauseGuardian: token,
        baseToken: token,
        baseTokenPriceFeed: token,
        collateral: token,
        collateralPriceFeed: token,
      });
      const [from] = (await node.rpc("eth_accounts")) as string[];
      const hash = await node.rpc("eth_sendTransaction", [{ from, data, gas: "0xf00000" }]);
      await node.mine();
      const { contractAddress: to } = (await node.rpc("eth_getTransactionReceipt", [hash])) as {
        contractAddress: string;
      };
      const comet = CometModel__factory.createInterface();
      const read = async (fragment: string, values: unknown[] = []): Promise<bigint> =>
        BigInt(
          (await node.rpc("eth_call", [
            { to, data: comet.encodeFunctionData(fragment as never, values as never) },
            "latest",
          ])) as string,
        );
      const market: CometMarket = {
        supplied: 0n,
        borrowed: 0n,
        supplyKink: await read("supplyKink"),
        supplyBasePerSecond: await read("supplyPerSecondInterestRateBase"),
        supplySlopeLowPerSecond: await read("supplyPerSecondInterestRateSlopeLow"),
        supplySlopeHighPerSecond: await read("supplyPerSecondInterestRateSlopeHigh"),
      };
      const points = fc.sample(fc.bigInt({ min: 0n, max: (13n * WAD) / 10n }), { seed: 3, numRuns: 60 });
      for (const utilization of [...points, market.supplyKink, market.supplyKink + 1n, 0n, WAD])
        expect(cometSupplyRate(market, utilization), String(utilization)).to.equal(
          await read("getSupplyRate", [utilization]),
        );
    } finally {
      await node.stop();
    }
  });
});
