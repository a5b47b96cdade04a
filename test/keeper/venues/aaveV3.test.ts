import { expect } from "chai";
import fc from "fast-check";
import { ContractFactory, Interface, JsonRpcProvider, Network } from "ethers";
import { aaveModel, aaveRates, aaveWithout, type AaveReserve } from "../../../keeper/venues/aaveV3";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import { skip } from "../../skip";
import { localNode, type LocalNode } from "../chain/fixtures/localNode";
import { askOrigin, recordedAnswers } from "./fixtures/aaveOrigin";

const RAY = 10n ** 27n;
const STRATEGY =
  "@aave/core-v3/artifacts/contracts/protocol/pool/DefaultReserveInterestRateStrategy.sol/DefaultReserveInterestRateStrategy.json";

/** Mainnet's USDC reserve at block 20,000,000 in round figures: 92 % optimal, 9 % and 60 % slopes, 10 % reserve factor. */
const USDC: AaveReserve = {
  cash: 105_263_157_894_736n,
  borrowed: 894_736_842_105_264n,
  baseRate: 0n,
  slope1: (9n * RAY) / 100n,
  slope2: (60n * RAY) / 100n,
  optimalUsage: (92n * RAY) / 100n,
  reserveFactorBps: 1_000n,
};

describe("Aave V3 rates", () => {
  it("are the line below the optimal usage", () => {
    const half = { ...USDC, cash: 46n, borrowed: 46n };
    const rates = aaveRates(half);
    expect(rates.usage).to.equal(RAY / 2n);
    // 9 % · 0.5 / 0.92, and 90 % of half of that.
    expect(rates.variableBorrowRate).to.equal(48_913_043_478_260_869_565_217_391n);
    expect(rates.liquidityRate).to.equal(22_010_869_565_217_391_304_347_826n);
  });

  it("are slope 1 at the optimal usage and both slopes when all is lent out", () => {
    const kink = aaveRates({ ...USDC, cash: 8n, borrowed: 92n });
    expect(kink.variableBorrowRate).to.equal(USDC.slope1);
    const all = aaveRates({ ...USDC, cash: 0n, borrowed: 92n });
    expect(all.variableBorrowRate).to.equal(USDC.slope1 + USDC.slope2);
    expect(all.liquidityRate).to.equal(((USDC.slope1 + USDC.slope2) * 9n) / 10n);
  });

  it("are the base rate, and nothing for suppliers, without any debt", () => {
    const rates = aaveRates({ ...USDC, baseRate: 5n, borrowed: 0n });
    expect(rates).to.deep.equal({ usage: 0n, variableBorrowRate: 5n, liquidityRate: 0n });
  });

  it("without us are those of a reserve with less cash, and at most with all of it lent out", () => {
    expect(aaveWithout(USDC, 5n).cash).to.equal(USDC.cash - 5n);
    const rates = aaveRates(aaveWithout(USDC, USDC.cash + 1n));
    expect(rates.usage).to.equal(RAY);
  });

  it("make a model in whole units without our position", () => {
    expect(aaveModel(USDC, 400_000_000_000n, 6)).to.deep.equal({
      kind: "aave",
      supplied: 999_600_000,
      borrowed: 894_736_842.105264,
      base: 0,
      slope1: 0.09,
      slope2: 0.6,
      kink: 0.92,
      reserveFactor: 0.1,
    });
  });

  describe("against the genuine strategy of version 3.0", function () {
    this.timeout(60_000);
    let node: LocalNode;
    let provider: JsonRpcProvider;
    const artifact = npmArtifact(STRATEGY);
    const strategy = new Interface(artifact.abi as string[]);
    /** Answers every call with zero: a token without balances, so that cash is what the call adds. */
    const TOKEN = `0x${"44".repeat(20)}`;

    before(async () => {
      node = await localNode();
      const network = Network.from(31_337);
      provider = new JsonRpcProvider(node.url, network, { staticNetwork: network, cacheTimeout: -1 });
      await node.rpc("anvil_setCode", [TOKEN, "0x60206000f3"]);
    });
    after(async () => {
      provider.destroy();
      await node.stop();
    });

    const deployed = async (curve: AaveReserve): Promise<string> => {
      const { data } = await new ContractFactory(artifact.abi, artifact.bytecode).getDeployTransaction(
        TOKEN,
        curve.optimalUsage,
        curve.baseRate,
        curve.slope1,
        curve.slope2,
        0n,
        0n,
        0n,
        0n,
        RAY / 5n,
      );
      const from = ((await node.rpc("eth_accounts")) as string[])[0];
      const hash = await node.rpc("eth_sendTransaction", [{ from, data, gas: "0x500000" }]);
      await node.mine();
      const receipt = (await node.rpc("eth_getTransactionReceipt", [hash])) as { contractAddress: string };
      return receipt.contractAddress;
    };

    it("agree to the last digit over amounts, curves and reserve factors", async () => {
      const ray = (least: number, most: number) =>
        fc.bigInt({ min: BigInt(least) * 10n ** 23n, max: BigInt(most) * 10n ** 23n });
      const curves = fc.sample(
        fc.record({
          baseRate: ray(0, 200),
          slope1: ray(100, 2_000),
          slope2: ray(1_000, 30_000),
          optimalUsage: ray(4_500, 9_900),
        }),
        { seed: 11, numRuns: 4 },
      );
      const amounts = fc.sample(
        fc.record({
          // From dust to trillions of USDC, odd digits included.
          cash: fc.oneof(fc.bigInt({ min: 0n, max: 1_000n }), fc.bigInt({ min: 0n, max: 10n ** 18n })),
          borrowed: fc.oneof(fc.bigInt({ min: 0n, max: 1_000n }), fc.bigInt({ min: 0n, max: 10n ** 18n })),
          reserveFactorBps: fc.bigInt({ min: 0n, max: 10_000n }),
        }),
        { seed: 12, numRuns: 100 },
      );
      for (const curve of curves) {
        const to = await deployed({ ...USDC, ...curve });
        const answers = await Promise.all(
          amounts.map(async ({ cash, borrowed, reserveFactorBps }) => {
            const parameters = [0n, cash, 0n, 0n, borrowed, 0n, reserveFactorBps, TOKEN, TOKEN];
            const data = strategy.encodeFunctionData("calculateInterestRates", [parameters]);
            return strategy.decodeFunctionResult("calculateInterestRates", await provider.call({ to, data })).toArray();
          }),
        );
        for (const [index, point] of amounts.entries()) {
          const rates = aaveRates({ ...curve, ...point }, "averaged");
          const [liquidityRate, , variableBorrowRate] = answers[index] as bigint[];
          expect(rates.variableBorrowRate, JSON.stringify(point, String)).to.equal(variableBorrowRate);
          expect(rates.liquidityRate, JSON.stringify(point, String)).to.equal(liquidityRate);
        }
      }
    });
  });

  describe("against the genuine strategy of version 3.1 and later", function () {
    this.timeout(120_000);
    const rows = recordedAnswers();
    const rayOf = (bps: bigint): bigint => (bps * RAY) / 10_000n;

    it("agree to the last digit with what it answered over amounts, curves and reserve factors", () => {
      const sides = { below: 0, kink: 0, above: 0, full: 0 };
      for (const row of rows) {
        const rates = aaveRates({
          ...{ cash: row.cash, borrowed: row.borrowed, baseRate: rayOf(row.base), slope1: rayOf(row.slope1) },
          ...{ slope2: rayOf(row.slope2), optimalUsage: rayOf(row.optimal), reserveFactorBps: row.reserveFactor },
        });
        expect(rates.variableBorrowRate, JSON.stringify(row, String)).to.equal(row.variableBorrowRate);
        expect(rates.liquidityRate, JSON.stringify(row, String)).to.equal(row.liquidityRate);
        const side = rates.usage === RAY ? "full" : rates.usage > rayOf(row.optimal) ? "above" : "below";
        sides[rates.usage === rayOf(row.optimal) ? "kink" : side] += 1;
      }
      for (const [side, count] of Object.entries(sides)) expect(count, side).to.be.above(15);
    });

    it("is what its source answers still", async function () {
      const folder = process.env["TILLER_AAVE_ORIGIN"];
      if (folder === undefined) {
        return skip(this, "needs its source: set TILLER_AAVE_ORIGIN to the unpacked package @aave-dao/aave-v3-origin");
      }
      expect(await askOrigin(folder, rows)).to.deep.equal(rows);
    });
  });
});
