// The vault and its adapters on the real protocols: deployed as on mainnet, read by the keeper's own code, filled, moved
// by the keeper, left after 30 days.
import { expect } from "chai";
import { Contract, id, MinInt256, type HDNodeWallet } from "ethers";
import { connectChain } from "../../keeper/chain/connect";
import { readLatestSnapshot } from "../../keeper/chain/readSnapshot";
import type { AdapterSnapshot, VaultSnapshot } from "../../keeper/chain/snapshot";
import type { AddressFile } from "../../keeper/config/addressFile";
import { isExact } from "../../deploy/modules/adapters";
import { deployOnFork, networkOf } from "../../scripts/fork/deployOnFork";
import { localWallet } from "../../deploy/networks/localWallet";
import { IERC20__factory, Vault__factory, type Vault } from "../../typechain-types";
import { TapeFolder } from "../scripts/fork/sampleTape";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";

const SHARE = 10n ** 18n;
const DEPOSIT = 1_000_000n * USDC;

const RAY = 10n ** 27n;

const STRATEGY = [
  "function getVariableRateSlope1() view returns (uint256)",
  "function getVariableRateSlope2() view returns (uint256)",
  "function getBaseVariableBorrowRate() view returns (uint256)",
  "function OPTIMAL_USAGE_RATIO() view returns (uint256)",
];
const POOL = [
  "function getReserveNormalizedVariableDebt(address) view returns (uint256)",
  "function getReserveNormalizedIncome(address) view returns (uint256)",
  "function getReserveData(address) view returns (tuple(uint256 configuration, uint128 liquidityIndex, uint128 currentLiquidityRate, uint128 variableBorrowIndex, uint128 currentVariableBorrowRate, uint128 currentStableBorrowRate, uint40 lastUpdateTimestamp, uint16 id, address aTokenAddress, address stableDebtTokenAddress, address variableDebtTokenAddress, address interestRateStrategyAddress, uint128 accruedToTreasury, uint128 unbacked, uint128 isolationModeTotalDebt))",
];
const COMET = [
  "function totalSupply() view returns (uint256)",
  "function totalBorrow() view returns (uint256)",
  "function getUtilization() view returns (uint256)",
  "function getSupplyRate(uint256) view returns (uint64)",
  "function getBorrowRate(uint256) view returns (uint64)",
  "function supplyKink() view returns (uint256)",
  "function supplyPerSecondInterestRateBase() view returns (uint256)",
  "function supplyPerSecondInterestRateSlopeLow() view returns (uint256)",
  "function supplyPerSecondInterestRateSlopeHigh() view returns (uint256)",
];

describeOnFork("the vault", (fork) => {
  const folder = new TapeFolder();
  let addresses: AddressFile;
  let vault: Vault;
  let depositor: HDNodeWallet;
  let keeper: HDNodeWallet;
  /** What the depositor has besides the deposit. */
  let purse: bigint;

  before(async function () {
    await skipWithoutComet(this, fork());
    addresses = await deployOnFork(fork(), folder.file("addresses.json"));
    const { provider } = fork();
    vault = Vault__factory.connect(addresses.vault, provider);
    depositor = localWallet("depositor").connect(provider);
    keeper = localWallet("keeper").connect(provider);
    purse = await token(fork().places.usdc).balanceOf(depositor.address);
    await fork().fundUsdc(depositor.address, DEPOSIT);
  });
  after(() => folder.remove());

  const token = (address: string): ReturnType<typeof IERC20__factory.connect> =>
    IERC20__factory.connect(address, fork().provider);
  const view = (address: string, abi: readonly string[]) => {
    const contract = new Contract(address, abi, fork().provider);
    return async (method: string, ...args: unknown[]): Promise<bigint> =>
      (await contract.getFunction(method)(...args)) as bigint;
  };

  async function snapshot(): Promise<VaultSnapshot> {
    const chain = await connectChain({
      rpcUrls: [fork().url],
      expectedChainId: fork().chainId,
      requestTimeoutMs: 30_000,
      sink: { emit: () => undefined },
    });
    try {
      return await readLatestSnapshot(chain, { addresses, keeper: keeper.address });
    } finally {
      chain.close();
    }
  }

  function venueOf(snap: VaultSnapshot, id: string): AdapterSnapshot {
    const found = snap.adapters.find((adapter) => adapter.id === id);
    if (!found) throw new Error(`no venue ${id}`);
    return found;
  }

  async function deposit(): Promise<void> {
    await (await token(fork().places.usdc).connect(depositor).approve(addresses.vault, DEPOSIT)).wait();
    await (await vault.connect(depositor)["deposit(uint256,address)"](DEPOSIT, depositor.address)).wait();
  }

  async function rebalance(moves: readonly { readonly id: string; readonly assets: bigint }[]): Promise<void> {
    const latest = await fork().provider.getBlock("latest");
    const plan = moves.map(({ id, assets }) => ({
      adapter: addresses.adapters.find((adapter) => adapter.id === id)?.adapter ?? "",
      assets,
      data: "0x",
    }));
    const guard = {
      nonce: await vault.nextNonce(keeper.address),
      deadline: (latest?.timestamp ?? 0) + DAY,
      maxLoss: 10n,
      decision: id("decision"),
    };
    await (await vault.connect(keeper).rebalance(plan, guard)).wait();
  }

  it("opens with mainnet's parameters and the whole seed burned", async () => {
    const network = networkOf(fork());
    const snap = await snapshot();
    expect(snap).to.include({ opened: true, breaker: "closed", isKeeper: true, depositCap: network.limits.depositCap });
    expect(snap.totalAssets).to.equal(network.seed);
    expect(snap.adapters.map(({ id, readable, exact }) => ({ id, readable, exact }))).to.deep.equal(
      network.venues.map(({ id, kind }) => ({ id, readable: true, exact: isExact(kind) })),
    );
    expect(await vault.owner()).to.equal(addresses.timelock);
  });

  it("reads of Aave V3 what its own views say", async () => {
    const { usdc, aavePool, aUsdc } = fork().places;
    const { state } = venueOf(await snapshot(), "aave-v3-usdc");
    const pool = view(aavePool, POOL);
    const reserve = (await pool("getReserveData", usdc)) as unknown as {
      currentLiquidityRate: bigint;
      currentVariableBorrowRate: bigint;
      variableDebtTokenAddress: string;
      interestRateStrategyAddress: string;
      aTokenAddress: string;
    };
    // The debt token's own total also reads slots that the recorded state lacks; this is how it makes it.
    const scaled = await view(reserve.variableDebtTokenAddress, [
      "function scaledTotalSupply() view returns (uint256)",
    ])("scaledTotalSupply");
    const borrowed = (scaled * (await pool("getReserveNormalizedVariableDebt", usdc)) + RAY / 2n) / RAY;
    if (state?.kind !== "aave-v3") throw new Error("Aave's state was not read");
    // Rounded down by the lens, to the nearest unit by the debt token.
    expect(Number(borrowed - state.borrowed)).to.be.within(0, 1);
    const strategy = view(reserve.interestRateStrategyAddress, STRATEGY);
    expect(reserve.aTokenAddress).to.equal(aUsdc);
    expect(state).to.deep.include({
      kind: "aave-v3",
      cash: await token(usdc).balanceOf(aUsdc),
      liquidityIndex: await pool("getReserveNormalizedIncome", usdc),
      liquidityRate: reserve.currentLiquidityRate,
      variableBorrowRate: reserve.currentVariableBorrowRate,
      baseRate: await strategy("getBaseVariableBorrowRate"),
      slope1: await strategy("getVariableRateSlope1"),
      slope2: await strategy("getVariableRateSlope2"),
      optimalUsage: await strategy("OPTIMAL_USAGE_RATIO"),
      active: true,
      frozen: false,
      paused: false,
    });
  });

  it("reads of Compound V3 what its own views say", async () => {
    const { usdc, comet } = fork().places;
    const { state } = venueOf(await snapshot(), "compound-v3-usdc");
    const market = view(comet, COMET);
    const utilization = await market("getUtilization");
    expect(state).to.deep.equal({
      kind: "compound-v3",
      cash: await token(usdc).balanceOf(comet),
      supplied: await market("totalSupply"),
      borrowed: await market("totalBorrow"),
      utilization,
      supplyKink: await market("supplyKink"),
      supplyBasePerSecond: await market("supplyPerSecondInterestRateBase"),
      supplySlopeLowPerSecond: await market("supplyPerSecondInterestRateSlopeLow"),
      supplySlopeHighPerSecond: await market("supplyPerSecondInterestRateSlopeHigh"),
      supplyRatePerSecond: await market("getSupplyRate", utilization),
      borrowRatePerSecond: await market("getBorrowRate", utilization),
      supplyPaused: false,
      withdrawPaused: false,
    });
  });

  it("takes a deposit, lends it by the keeper's plan, earns for 30 days, and pays all of it out", async () => {
    const { usdc, aUsdc, comet } = fork().places;
    await deposit();
    await rebalance([
      { id: "aave-v3-usdc", assets: 500_000n * USDC },
      { id: "compound-v3-usdc", assets: 400_000n * USDC },
    ]);
    const placed = await snapshot();
    const [aave, compound] = [venueOf(placed, "aave-v3-usdc"), venueOf(placed, "compound-v3-usdc")];
    // A venue may round one unit off what it is given.
    expect(Number(500_000n * USDC - aave.fairValue)).to.be.within(0, 2);
    expect(Number(400_000n * USDC - compound.fairValue)).to.be.within(0, 2);
    expect(await token(aUsdc).balanceOf(aave.adapter)).to.equal(aave.fairValue);
    expect(await token(comet).balanceOf(compound.adapter)).to.equal(compound.fairValue);

    await fork().increaseTime(30 * DAY);
    const grown = await snapshot();
    const gains = ["aave-v3-usdc", "compound-v3-usdc"].map(
      (id) => venueOf(grown, id).fairValue - venueOf(placed, id).fairValue,
    );
    for (const gain of gains) expect(Number(gain)).to.be.within(400_000 * 1e6 * 0.0005, 500_000 * 1e6 * 0.05);

    const shares = await vault.balanceOf(depositor.address);
    const expected = await vault.previewRedeem(shares);
    await (
      await vault.connect(depositor)["redeem(uint256,address,address)"](shares, depositor.address, depositor.address)
    ).wait();
    const paid = (await token(usdc).balanceOf(depositor.address)) - purse;
    expect(await vault.balanceOf(depositor.address)).to.equal(0n);
    expect(Number(paid)).to.be.at.least(Number(expected));
    // All gains but the part of the seed, whose shares are burned, went to the only depositor.
    const share = Number(DEPOSIT) / Number(DEPOSIT + networkOf(fork()).seed);
    const gained = Number(gains.reduce((sum, gain) => sum + gain, 0n)) * share;
    expect(Number(paid - DEPOSIT)).to.be.within(gained - 10, gained + 100_000);
  });

  it("takes all of it back to idle by the keeper's plan", async () => {
    await deposit();
    await rebalance([
      { id: "aave-v3-usdc", assets: 300_000n * USDC },
      { id: "compound-v3-usdc", assets: 300_000n * USDC },
    ]);
    await fork().increaseTime(DAY);
    await rebalance([
      { id: "aave-v3-usdc", assets: MinInt256 },
      { id: "compound-v3-usdc", assets: MinInt256 },
    ]);
    const snap = await snapshot();
    expect(Number(snap.idle)).to.be.greaterThan(Number(DEPOSIT + networkOf(fork()).seed));
    for (const id of ["aave-v3-usdc", "compound-v3-usdc"]) expect(venueOf(snap, id).fairValue).to.equal(0n);
  });

  it("pays an exit in kind in aUSDC and Comet's own token", async () => {
    const { usdc, aUsdc, comet } = fork().places;
    await deposit();
    await rebalance([
      { id: "aave-v3-usdc", assets: 500_000n * USDC },
      { id: "compound-v3-usdc", assets: 400_000n * USDC },
    ]);
    const half = (await vault.balanceOf(depositor.address)) / 2n;
    await (await vault.connect(depositor).redeemInKind(half, depositor.address, [])).wait();
    const received = await Promise.all([usdc, aUsdc, comet].map((at) => token(at).balanceOf(depositor.address)));
    // Half of all but the seed's part, which is 100 of 1,000,100 USDC: 0.49995 of 100,100 idle and of each venue.
    const [idle = 0n, aave = 0n, compound = 0n] = received;
    expect([idle - purse, aave, compound].map((amount) => amount / USDC)).to.deep.equal([50_044n, 249_975n, 199_980n]);
    expect(Number(await vault.balanceOf(depositor.address))).to.be.closeTo(Number((DEPOSIT * SHARE) / USDC / 2n), 1e12);
  });
});
