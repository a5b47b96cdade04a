import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Contract, MaxUint256 } from "ethers";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { bindContracts, type MarketContracts } from "../../../scripts/localnet/market/contracts";
import { deployProtocols } from "../../../scripts/localnet/protocols/deploy";
import { npmArtifact } from "../../../scripts/localnet/protocols/npmArtifact";
import {
  AAVE_RESERVES,
  DAI_PER_USDC,
  OPENING,
  SKY_RATE_PER_SECOND,
  UNISWAP_OBSERVATIONS,
  USDC,
} from "../../../scripts/localnet/protocols/parameters";
import { addressesIn } from "../../../scripts/localnet/protocols/protocolsFile";
import { QUOTER } from "../../../scripts/localnet/protocols/uniswap";
import { localNetwork } from "../../../deploy/networks/local";
import { IERC20__factory, SavingsUsdsModel__factory, SkyPsmModel__factory } from "../../../typechain-types";
import { startTemporaryChain, temporaryFolder, transact, type TemporaryChain } from "./temporaryChain";

const YEAR = 31_536_000;
const RAY = 10n ** 27n;
const VARIABLE_RATE = 2;
const CONFIGURATOR = "@aave/core-v3/artifacts/contracts/protocol/pool/PoolConfigurator.sol/PoolConfigurator.json";
const ORACLE = "@aave/core-v3/artifacts/contracts/misc/AaveOracle.sol/AaveOracle.json";

describe("the local chain's protocols", function () {
  this.timeout(60_000);
  let local: TemporaryChain;
  let contracts: MarketContracts;
  let clean: unknown;

  const connected = (contract: Contract, role: Parameters<TemporaryChain["signer"]>[0]): Contract =>
    contract.connect(local.signer(role)) as Contract;
  const ask = async <T>(contract: Contract, method: string, ...args: readonly unknown[]): Promise<T> =>
    (await contract.getFunction(method)(...args)) as T;

  before(async () => {
    local = await startTemporaryChain();
    contracts = bindContracts(local.provider, local.protocols);
  });
  after(() => local.end());
  beforeEach(async () => {
    clean = await callNode(local.chain.url, "evm_snapshot", []);
  });
  afterEach(() => callNode(local.chain.url, "evm_revert", [clean]));

  it("writes every address with its checksum, each with code", async () => {
    const written: unknown = JSON.parse(readFileSync(path.join(local.folder, "protocols.json"), "utf8"));
    expect(written).to.deep.equal(local.protocols);
    const addresses = addressesIn(local.protocols);
    expect(addresses).to.have.length(42);
    for (const address of addresses) expect(await local.provider.getCode(address)).to.have.length.above(100);
  });

  it("leaves the node waiting for somebody else's blocks", async () => {
    const { folder, remove } = temporaryFolder();
    try {
      await deployProtocols(local.chain.url, folder);
      expect(await callNode(local.chain.url, "anvil_getAutomine", [])).to.equal(false);
    } finally {
      await local.automine(true);
      remove();
    }
  });

  it("deploys nothing the second time", async () => {
    const before = await local.provider.getBlockNumber();
    expect(await deployProtocols(local.chain.url, local.folder)).to.deep.equal(local.protocols);
    expect(await local.provider.getBlockNumber()).to.equal(before);
  });

  it("deploys again when an address has lost its code or the file is another chain's", async () => {
    const { folder, remove } = temporaryFolder();
    try {
      const file = path.join(folder, "protocols.json");
      writeFileSync(
        file,
        JSON.stringify({ ...local.protocols, savings: "0x00000000000000000000000000000000000000A1" }),
      );
      const afterLoss = await deployProtocols(local.chain.url, folder);
      expect(afterLoss.comet).to.not.equal(local.protocols.comet);

      writeFileSync(file, JSON.stringify({ ...local.protocols, genesisHash: `0x${"0".repeat(64)}` }));
      const afterMove = await deployProtocols(local.chain.url, folder);
      expect(afterMove.genesisHash).to.equal(local.protocols.genesisHash);
      expect(afterMove.comet).to.not.equal(local.protocols.comet);
    } finally {
      await local.automine(true);
      remove();
    }
  });

  it("opens Aave below its kink with mainnet's rates, caps and risk figures", async () => {
    const { tokens, aave } = local.protocols;
    for (const id of ["usdc", "usdt", "weth"] as const) {
      const reserve = AAVE_RESERVES[id];
      const set = await ask<Record<string, unknown>>(contracts.aaveData, "getReserveConfigurationData", tokens[id]);
      expect(set["ltv"]).to.equal(reserve.ltvBps);
      expect(set["liquidationThreshold"]).to.equal(reserve.liquidationThresholdBps);
      expect(set["reserveFactor"]).to.equal(reserve.reserveFactorBps);
      expect(set["borrowingEnabled"]).to.equal(true);
      expect(set["isActive"]).to.equal(true);
      expect(set["isFrozen"]).to.equal(false);
      const caps = await ask<Record<string, unknown>>(contracts.aaveData, "getReserveCaps", tokens[id]);
      expect(caps["supplyCap"]).to.equal(reserve.supplyCap);
      expect(caps["borrowCap"]).to.equal(reserve.borrowCap);
    }
    const debt = await ask<bigint>(contracts.aaveData, "getTotalDebt", tokens.usdc);
    const cash = await ask<bigint>(contracts.usdc, "balanceOf", aave.reserves.usdc.aToken);
    const utilization = Number(debt) / Number(debt + cash);
    expect(utilization).to.be.within(0.85, 0.9);

    const data = await ask<Record<string, bigint>>(contracts.aaveData, "getReserveData", tokens.usdc);
    const borrowRate = (AAVE_RESERVES.usdc.slope1 * debt * RAY) / ((debt + cash) * AAVE_RESERVES.usdc.optimalUsage);
    // The pool sets its rate when something happens; a few seconds' interest has been added since.
    expect(Number(data["variableBorrowRate"]) / Number(borrowRate)).to.be.closeTo(1, 1e-6);
    expect(Number(data["liquidityRate"]) / Number(borrowRate)).to.be.closeTo(utilization * 0.9, 1e-6);
  });

  it("answers as the genuine Aave does: provider, configurator, access control, oracle", async () => {
    const { aave, tokens } = local.protocols;
    const oracle = new Contract(aave.oracle, npmArtifact(ORACLE).abi, local.provider);
    expect(await ask(oracle, "getAssetPrice", tokens.weth)).to.equal(3_000_00000000n);
    expect(await ask(oracle, "getAssetPrice", tokens.usdc)).to.equal(1_00000000n);
    expect(await ask(contracts.aavePool, "ADDRESSES_PROVIDER")).to.equal(aave.addressesProvider);
    expect(await ask(contracts.aavePool, "getReservesList")).to.deep.equal([tokens.usdc, tokens.usdt, tokens.weth]);

    const configurator = new Contract(aave.poolConfigurator, npmArtifact(CONFIGURATOR).abi, local.provider);
    await transact(connected(configurator, "market"), "setReserveFreeze", tokens.usdc, true);
    const frozen = await ask<Record<string, unknown>>(contracts.aaveData, "getReserveConfigurationData", tokens.usdc);
    expect(frozen["isFrozen"]).to.equal(true);
    const stranger = connected(configurator, "depositor").getFunction("setReserveFreeze");
    expect(await rejected(stranger.staticCall(tokens.usdc, false))).to.equal(true);
  });

  it("pays a supplier of Aave interest and takes a borrower's", async () => {
    const { aave, tokens } = local.protocols;
    const me = local.signer("depositor").address;
    const pool = connected(contracts.aavePool, "depositor");
    const usdc = connected(contracts.usdc, "depositor");
    await transact(usdc, "approve", aave.pool, MaxUint256);
    await transact(pool, "supply", tokens.usdc, 1_000_000n * USDC, me, 0);
    await transact(pool, "borrow", tokens.usdt, 100_000n * USDC, VARIABLE_RATE, 0, me);
    await local.pass(30 * 86_400);

    const mine = await ask<Record<string, bigint>>(contracts.aaveData, "getUserReserveData", tokens.usdc, me);
    const rate = Number(mine["liquidityRate"]) / 1e27;
    const earned = Number((mine["currentATokenBalance"] ?? 0n) - 1_000_000n * USDC) / 1e12;
    expect(rate).to.be.within(0.03, 0.05);
    expect(earned).to.be.closeTo((rate * 30) / 365, 1e-5);
    const owed = await ask<Record<string, bigint>>(contracts.aaveData, "getUserReserveData", tokens.usdt, me);
    expect(Number(owed["currentVariableDebt"] ?? 0n)).to.be.above(100_000e6 * 1.003);

    const usdt = connected(contracts.usdt, "depositor");
    await transact(usdt, "approve", aave.pool, MaxUint256);
    await transact(pool, "repay", tokens.usdt, MaxUint256, VARIABLE_RATE, me);
    const before = await ask<bigint>(usdc, "balanceOf", me);
    await transact(pool, "withdraw", tokens.usdc, MaxUint256, me);
    expect((await ask<bigint>(usdc, "balanceOf", me)) - before >= (mine["currentATokenBalance"] ?? 0n)).to.equal(true);
  });

  it("swaps on Uniswap for exactly what the quoter said, over several ticks", async () => {
    const { tokens, uniswap } = local.protocols;
    const quoter = new Contract(uniswap.quoter, npmArtifact(QUOTER).abi, local.provider);
    const router = connected(contracts.swapRouter, "trader");
    const me = local.signer("trader").address;
    const amountIn = 8_000_000n * USDC;
    for (const [tokenIn, tokenOut, received] of [
      [tokens.usdc, tokens.usdt, contracts.usdt],
      [tokens.usdt, tokens.usdc, contracts.usdc],
    ] as const) {
      const [quoted, , ticksCrossed] = (await quoter
        .getFunction("quoteExactInputSingle")
        .staticCall({ tokenIn, tokenOut, fee: 100, amountIn, sqrtPriceLimitX96: 0n })) as [bigint, bigint, bigint];
      expect(ticksCrossed >= 1n).to.equal(true);
      const before = await ask<bigint>(received, "balanceOf", me);
      await transact(router, "exactInputSingle", {
        ...{ tokenIn, tokenOut, fee: 100, recipient: me, amountIn, amountOutMinimum: quoted, sqrtPriceLimitX96: 0n },
      });
      expect((await ask<bigint>(received, "balanceOf", me)) - before).to.equal(quoted);
    }
  });

  it("opens Comet and savings at their sizes, solvent", async () => {
    const { comet, savings, usdc } = contracts;
    expect(Number(await comet.getUtilization()) / 1e18).to.be.closeTo(0.85, 0.001);
    expect(await comet.isSupplyPaused()).to.equal(false);
    expect(Number(await comet.getReserves()) / 1e6).to.be.closeTo(1_000_000, 1_000);
    const rate = (Number(await comet.getSupplyRate(await comet.getUtilization())) * YEAR) / 1e18;
    expect(rate).to.be.closeTo(0.036 * 0.85, 1e-4);
    expect(Number((await savings.totalAssets()) - OPENING.savings.supplied) / 1e6).to.be.within(0, 100);
    const held = await ask<bigint>(usdc, "balanceOf", local.protocols.savings);
    expect((await savings.totalAssets()) + (await savings.reserve())).to.equal(held);
  });

  it("opens Sky with gems in the pocket, DAI for more, and savings that are paid for", async () => {
    const { sky, tokens } = local.protocols;
    const { provider } = local;
    const psm = SkyPsmModel__factory.connect(sky.litePsm, provider);
    const held = (token: string, by: string): Promise<bigint> => IERC20__factory.connect(token, provider).balanceOf(by);
    const sUsds = SavingsUsdsModel__factory.connect(sky.sUsds, provider);
    expect(await held(tokens.usdc, await psm.pocket())).to.equal(OPENING.sky.supplied);
    expect(await held(sky.dai, sky.litePsm)).to.equal(OPENING.sky.buffer);
    expect(Number(await sUsds.totalAssets()) / 1e18).to.be.closeTo(Number(OPENING.sky.supplied) / 1e6, 100);
    expect(await sUsds.ssr()).to.equal(SKY_RATE_PER_SECOND);
    // What is owed beyond what lies there is minted by whoever calls next.
    expect((await held(sky.usds, sky.sUsds)) >= OPENING.sky.supplied * 10n ** 12n).to.equal(true);
  });

  it("opens the 3pool with a tenth of mainnet's coins and mainnet's terms, each receipt worth one", async () => {
    const { threePool } = contracts;
    const { provider, protocols } = local;
    const { dai, usdc, usdt } = OPENING.threePool;
    expect(await Promise.all([0, 1, 2].map((coin) => threePool.balances(coin)))).to.deep.equal([dai, usdc, usdt]);
    const coins = await Promise.all([0, 1, 2].map((coin) => threePool.coins(coin)));
    expect(coins).to.deep.equal([protocols.sky.dai, protocols.tokens.usdc, protocols.tokens.usdt]);
    expect([await threePool.A(), await threePool.fee(), await threePool.admin_fee()]).to.deep.equal([
      ...[2_000n, 1_000_000n, 5_000_000_000n],
    ]);
    expect(await threePool.get_virtual_price()).to.equal(10n ** 18n);
    const provided = local.signer("liquidityProvider").address;
    const receipts = await IERC20__factory.connect(protocols.threePool.token, provider).balanceOf(provided);
    expect(Number(receipts) / 1e18).to.be.closeTo(17_995_000, 1_000);
    // The least that any coin buys of another, fee and imbalance together.
    const bought = await threePool.get_dy(1, 2, USDC);
    expect(Number(bought) / 1e6).to.be.within(0.9997, 0.9999);
    const traderDai = await ask<bigint>(contracts.dai, "balanceOf", local.signer("trader").address);
    expect(traderDai).to.equal(OPENING.purse.trader * DAI_PER_USDC);
  });

  it("has a Uniswap pool that remembers the price over an adapter's window, in enough observations", async () => {
    const uniswap = localNetwork(local.protocols).venues.find((venue) => venue.kind === "uniswap-v3");
    if (uniswap?.kind !== "uniswap-v3") throw new Error("no Uniswap on the local chain");
    const slot0 = await ask<readonly bigint[]>(contracts.uniswapPool, "slot0");
    expect(Number(slot0[3])).to.equal(UNISWAP_OBSERVATIONS);
    expect(Number(slot0[3])).to.be.at.least(uniswap.leastObservations);
    const [sums] = await ask<readonly [readonly bigint[]]>(contracts.uniswapPool, "observe", [
      uniswap.windowSeconds,
      0,
    ]);
    // One tick for the seconds between the first two swaps.
    expect(Number((sums[1] ?? 0n) - (sums[0] ?? 0n))).to.be.within(-60, 60);
    for (const side of ["feeGrowthGlobal0X128", "feeGrowthGlobal1X128"]) {
      expect((await ask<bigint>(contracts.uniswapPool, side)) > 0n, side).to.equal(true);
    }
  });

  it("has a fresh price of every coin, under the name of its token", async () => {
    const now = (await local.provider.getBlock("latest"))?.timestamp ?? 0;
    for (const coin of ["usdc", "usdt", "dai", "eth"] as const) {
      const [, answer, , updatedAt] = await contracts.feeds[coin].latestRoundData();
      expect(await contracts.feeds[coin].description()).to.equal(`${coin.toUpperCase()} / USD`);
      expect(answer).to.equal(coin === "eth" ? 3_000_00000000n : 1_00000000n);
      expect(now - Number(updatedAt)).to.be.below(300);
    }
  });

  it("hands the depositors money and the deployer the right to mint", async () => {
    for (const role of ["depositor", "secondDepositor", "deployer"] as const) {
      expect(await ask(contracts.usdc, "balanceOf", local.signer(role).address)).to.equal(OPENING.depositor);
    }
    const me = local.signer("keeper").address;
    await transact(connected(contracts.usdc, "deployer"), "mint", me, 5n);
    expect(await ask(contracts.usdc, "balanceOf", me)).to.equal(5n);
  });
});

async function rejected(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => false,
    () => true,
  );
}
