// The adapter in the genuine 3pool, on mainnet's state: money in and out by every way, at what loss; what the pool's lock
// shows; a market that pushes the price.
import { expect } from "chai";
import { Contract, MaxUint256, toBeHex, toQuantity, type HDNodeWallet } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import { Curve3PoolAdapter__factory, type Curve3PoolAdapter } from "../../typechain-types";
import { skip } from "../skip";
import { DAY, describeOnFork, USDC } from "./forkSuite";
import {
  ERC20_ABI,
  POOL_ABI,
  POOL_SLOT,
  skipWithoutThreePool,
  THREE_POOL,
  UNITS,
  writeAnswer,
  writeCoin,
} from "./threePool";

const WAD = 10n ** 18n;
const GAS = { gasLimit: 3_000_000n } as const;
/** Chainlink's, with an hour for a late report: an hour for DAI, a day for USDC and USDT. */
const HEARTBEATS = [2 * 3_600, DAY + 3_600, DAY + 3_600];
const SLIPPAGE = WAD / 1_000n;
const STEADINESS = WAD / 100n;
const PLACED = 500_000n * USDC;
/** Place of USDC in the pool. */
const ASSET = 1;
/** What the feeds said last in the recorded state. */
const RECORDED = [100_026_000n, 99_991_586n, 100_041_221n];

/** Chai's own `within` knows no integers of this size. */
function expectWithin(value: bigint, least: bigint, most: bigint): void {
  expect(value >= least && value <= most, `${value} within ${least} and ${most}`).to.equal(true);
}

describeOnFork("Curve's 3pool", (fork) => {
  /** Stands for the vault. */
  let vault: HDNodeWallet;
  let trader: HDNodeWallet;
  let adapter: Curve3PoolAdapter;
  let asVault: Curve3PoolAdapter;

  before(async function () {
    await skipWithoutThreePool(this, fork());
  });

  beforeEach(async () => {
    const { provider } = fork();
    [vault, trader] = [localWallet("keeper").connect(provider), localWallet("trader").connect(provider)];
    const deployer = localWallet("deployer").connect(provider);
    for (const { address } of [vault, trader]) await provider.getBalance(address);
    if (fork().upstream === "tape") await reportAsOf(RECORDED, await now());
    adapter = await new Curve3PoolAdapter__factory(deployer).deploy(
      vault.address,
      THREE_POOL.pool,
      THREE_POOL.lpToken,
      THREE_POOL.coins[ASSET],
      [...THREE_POOL.feeds],
      [...HEARTBEATS] as [number, number, number],
      SLIPPAGE,
      STEADINESS,
    );
    await adapter.waitForDeployment();
    asVault = adapter.connect(vault);
  });

  const now = async (): Promise<number> => (await fork().provider.getBlock("latest"))?.timestamp ?? 0;
  const pool = () => new Contract(THREE_POOL.pool, POOL_ABI, trader);
  const token = (at: string) => new Contract(at, ERC20_ABI, trader);
  const balance = async (at: string, of: string): Promise<bigint> =>
    (await token(at).getFunction("balanceOf")(of)) as bigint;
  const usdcOf = (of: string) => balance(THREE_POOL.coins[ASSET], of);
  const receiptsOf = (of: string) => balance(THREE_POOL.lpToken, of);
  const mined = async (sent: Promise<unknown>): Promise<bigint> =>
    (await ((await sent) as { wait(): Promise<{ gasUsed: bigint }> }).wait()).gasUsed;

  async function reportAsOf(dollars: readonly bigint[], at: number): Promise<void> {
    for (const [k, price] of dollars.entries()) await writeAnswer(fork(), k, price, at);
  }

  async function put(amount: bigint): Promise<bigint> {
    const to = await adapter.getAddress();
    await fork().fundUsdc(to, amount);
    return mined(asVault.deposit(amount, "0x", GAS));
  }

  /** Basis points of `whole`, for people. */
  const bps = (part: bigint, whole: bigint): string => `${(Number((part * 1_000_000n) / whole) / 100).toFixed(2)} bps`;

  it("takes 500,000 USDC, pays an amount exactly, then all, at a loss far within the bound", async () => {
    const gas = [await put(PLACED)];
    const receipts = await receiptsOf(await adapter.getAddress());
    const value = await adapter.fairValue();
    const lostIn = PLACED - value;
    if (fork().upstream === "tape") expect(receipts / 10n ** 16n).to.equal(48_435_579n);
    expectWithin(lostIn, -PLACED / 2_000n, (PLACED * SLIPPAGE) / WAD);
    expect(await token(THREE_POOL.coins[ASSET]).getFunction("allowance")(adapter, THREE_POOL.pool)).to.equal(0n);
    expect([await usdcOf(await adapter.getAddress()), await usdcOf(vault.address)]).to.deep.equal([0n, 0n]);
    expect(await adapter.steady()).to.equal(true);

    gas.push(await mined(asVault.withdraw(PLACED / 2n, "0x", GAS)));
    expect(await usdcOf(vault.address)).to.equal(PLACED / 2n);
    const left = await adapter.fairValue();
    const lostAmount = PLACED / 2n - (value - left);
    const exit = await adapter.exitValue();
    const readGas = await adapter.fairValue.estimateGas();
    const most = await adapter.maxWithdraw();
    expectWithin(most, (exit * 9_998n) / 10_000n, exit);
    expect(await asVault.withdraw.staticCall(most, "0x", GAS)).to.equal(most);

    gas.push(await mined(asVault.withdraw(MaxUint256, "0x", GAS)));
    const paid = (await usdcOf(vault.address)) - PLACED / 2n;
    expect(exit).to.equal(paid < left ? paid : left);
    expect(await receiptsOf(await adapter.getAddress())).to.equal(0n);
    const lostAll = left - paid;
    for (const lost of [-lostAmount, lostAll]) expectWithin(lost, -PLACED / 2_000n, (PLACED * SLIPPAGE) / WAD);
    console.log(
      `      in ${bps(lostIn, PLACED)}, an amount out ${bps(-lostAmount, PLACED / 2n)}, all out ${bps(lostAll, left)}; ` +
        `there and back ${bps(PLACED - paid - PLACED / 2n, PLACED)} (bound ${bps(SLIPPAGE, WAD)} each way); ` +
        `gas ${gas.join(", ")}; value read for ${readGas}`,
    );
  });

  it("half by one coin pays what was recorded, and half leaves in kind", async () => {
    await put(PLACED);
    const held = await receiptsOf(await adapter.getAddress());
    await mined(asVault.redeemInKind(1n, 2n, trader.address, GAS));
    expect(await receiptsOf(trader.address)).to.equal(held / 2n);
    if (fork().upstream === "tape") {
      const paid = (await pool().getFunction("calc_withdraw_one_coin")(held / 2n, ASSET)) as bigint;
      expect((paid + 5_000n) / 10_000n).to.equal(24_997_624n);
    }
    // Whoever has the receipts can redeem them in every coin.
    await mined(pool().getFunction("remove_liquidity")(held / 2n, [1n, 1n, 1n], GAS));
    expectWithin(await usdcOf(trader.address), 1n, PLACED);
    await mined(asVault.withdraw(MaxUint256, "0x", GAS));
    expectWithin(await usdcOf(vault.address), (PLACED * 4_995n) / 10_000n, (PLACED * 5_005n) / 10_000n);
  });

  it("finds out that the pool's lock is taken, without writing", async function () {
    await put(PLACED);
    const value = await adapter.fairValue();
    await fork().provider.send("hardhat_setStorageAt", [THREE_POOL.pool, toQuantity(POOL_SLOT.lock), toBeHex(1, 32)]);
    expect(await refusal(adapter.fairValue())).to.equal(adapter.interface.getError("PoolLocked")?.selector);
    expect(await adapter.steady()).to.equal(false);
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    // The virtual price answers all the same.
    expectWithin((await pool().getFunction("get_virtual_price")()) as bigint, WAD + 1n, 2n * WAD);
    await fork().provider.send("hardhat_setStorageAt", [THREE_POOL.pool, toQuantity(POOL_SLOT.lock), toBeHex(0, 32)]);
    expect(await adapter.fairValue()).to.equal(value);
  });

  it("moves nothing while the price is pushed, at a value that did not notice", async () => {
    await put(PLACED);
    const value = await adapter.fairValue();
    const dai = 70_000_000n * (UNITS[0] ?? 0n);
    await writeCoin(fork(), 0, trader.address, dai);
    await mined(token(THREE_POOL.coins[0]).getFunction("approve")(THREE_POOL.pool, MaxUint256, GAS));
    await mined(pool().getFunction("exchange")(0, ASSET, dai, 0n, GAS));
    const pushed = await adapter.fairValue();
    // What the pool's providers gained is less than what the trader lost.
    const lost = dai / 10n ** 12n - (await usdcOf(trader.address));
    const supply = (await token(THREE_POOL.lpToken).getFunction("totalSupply")()) as bigint;
    const gained = ((pushed - value) * supply) / (await receiptsOf(await adapter.getAddress()));
    expectWithin(gained, 0n, lost);
    expect(await adapter.steady()).to.equal(false);
    expect([await adapter.maxDeposit(), await adapter.maxWithdraw()]).to.deep.equal([0n, 0n]);
    const unsteady = adapter.interface.getError("Unsteady")?.selector;
    await fork().fundUsdc(await adapter.getAddress(), USDC);
    expect(await refusal(asVault.deposit.staticCall(USDC, "0x", GAS))).to.equal(unsteady);
    expect(await refusal(asVault.withdraw.staticCall(USDC, "0x", GAS))).to.equal(unsteady);
    expect(await refusal(asVault.withdraw.staticCall(MaxUint256, "0x", GAS))).to.equal(unsteady);
    // Had it moved: what the pool pays for everything now.
    const receipts = await receiptsOf(await adapter.getAddress());
    const paid = (await pool().getFunction("calc_withdraw_one_coin")(receipts, ASSET)) as bigint;
    console.log(
      `      70 M DAI sold for USDC: value ${bps(pushed - value, value)} up, an exit would lose ${bps(value - paid, value)}`,
    );
  });

  it("has no value, and leaves in kind only, once a feed is older than its heartbeat", async function () {
    if (fork().upstream !== "tape") skip(this, "feeds are rewritten on the recorded state only");
    await put(PLACED);
    const at = await now();
    for (const k of [0, 1, 2]) {
      await reportAsOf(RECORDED, at);
      await writeAnswer(fork(), k, RECORDED[k] ?? 0n, at - (HEARTBEATS[k] ?? 0) - 60);
      expect(await refusal(adapter.fairValue())).to.equal(adapter.interface.getError("PriceStale")?.selector);
      expect(await adapter.steady()).to.equal(false);
    }
    await mined(asVault.redeemInKind(1n, 1n, trader.address, GAS));
    expect(await receiptsOf(await adapter.getAddress())).to.equal(0n);
  });
});

/** The selector of the error that a call ends with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "none",
    (error: { readonly data?: unknown }) => String(error.data).slice(0, 10),
  );
}
