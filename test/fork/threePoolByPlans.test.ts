// The vault as deployed on mainnet, over the genuine Aave V3, cUSDCv3 and 3pool: the keeper's plans take USDC into the pool
// and out of it by an amount, whole and in kind, and what that costs is measured against the bounds.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Contract } from "ethers";
import { Curve3PoolAdapter__factory, type Curve3PoolAdapter } from "../../typechain-types";
import { DAY, describeOnFork, USDC } from "./forkSuite";
import { AAVE, ALL, COMET, GAS, LendingVault, THREE_POOL_VENUE as CURVE } from "./lendingVault";
import { ERC20_ABI, skipWithoutThreePool, THREE_POOL, writeAnswer } from "./threePool";

const WAD = 10n ** 18n;
const PLACED = 200_000n * USDC;
/** What the feeds said last in the recorded state. */
const RECORDED = [100_026_000n, 99_991_586n, 100_041_221n] as const;

describeOnFork("The keeper's plans in the 3pool", (fork) => {
  const folder = mkdtempSync(path.join(tmpdir(), "tiller-fork-"));
  let v: LendingVault;
  let adapter: Curve3PoolAdapter;

  before(async function () {
    await skipWithoutThreePool(this, fork());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    v = await LendingVault.open(fork(), path.join(folder, "addresses.json"));
    rmSync(path.join(folder, "addresses.json"), { force: true });
    adapter = Curve3PoolAdapter__factory.connect(v.adapter(CURVE), fork().provider);
    await report();
  });

  /** On the recorded state time stands still for Chainlink: its last answers are told again, as of now. */
  async function report(): Promise<void> {
    if (fork().upstream !== "tape") return;
    for (const [k, answer] of RECORDED.entries()) await writeAnswer(fork(), k, answer, await v.now());
  }

  /** What one plan lost, as the vault booked it. */
  async function plan(moves: Parameters<LendingVault["plan"]>[0]): Promise<{ lost: bigint; gas: bigint }> {
    await report();
    const receipt = await v.plan(moves);
    const event = receipt.logs.map((log) => v.vault.interface.parseLog(log)).find((log) => log?.name === "Rebalanced");
    return { lost: event?.args["lost"] as bigint, gas: receipt.gasUsed };
  }

  const bps = (part: bigint, whole: bigint): string => (Number((part * 1_000_000n) / whole) / 100).toFixed(2);

  it("go in beside Aave and Comet, and out by an amount and whole, at a loss far within every bound", async () => {
    const before = await v.vault.totalAssets();
    const perCall = (before * (await v.vault.lossPerCall())) / WAD;
    const into = await plan([
      [AAVE, 500_000n * USDC],
      [COMET, 400_000n * USDC],
      [CURVE, PLACED],
    ]);
    const value = await adapter.fairValue();
    // Aave and Comet round by two units each.
    expect(Number(into.lost - (PLACED - value))).to.be.within(0, 4);
    expect(into.lost <= perCall && into.lost * WAD <= PLACED * (await adapter.slippage())).to.equal(true);
    const part = await plan([
      [CURVE, -PLACED / 2n],
      [AAVE, 50_000n * USDC],
    ]);
    const rest = await plan([[CURVE, ALL]]);
    for (const { lost } of [part, rest]) expect(lost <= perCall, `${lost} of ${perCall}`).to.equal(true);
    expect(await adapter.fairValue()).to.equal(0n);
    const total = into.lost + part.lost + rest.lost;
    expect(total * WAD <= 2n * PLACED * (await adapter.slippage())).to.equal(true);
    // Interest of a few blocks is the only other thing that moved the total.
    const after = await v.vault.totalAssets();
    expect(Number(after - (before - total))).to.be.within(-10, Number(20n * USDC));
    console.log(
      `      in ${bps(into.lost, PLACED)} bps, half out ${bps(part.lost, PLACED / 2n)}, rest out ${bps(rest.lost, PLACED / 2n)} ` +
        `(bound 10.00 each); of the vault ${bps(total, before)} bps in three plans (bound ${bps(perCall, before)} each); ` +
        `gas ${into.gas}, ${part.gas}, ${rest.gas}`,
    );
  });

  it("leave in kind to whoever wants out: receipts that the pool itself redeems", async () => {
    await plan([
      [AAVE, 500_000n * USDC],
      [CURVE, PLACED],
    ]);
    const receipts = new Contract(THREE_POOL.lpToken, ERC20_ABI, fork().provider);
    const held = (await receipts.getFunction("balanceOf")(adapter)) as bigint;
    const [shares, supply] = [await v.vault.balanceOf(v.second.address), await v.vault.totalSupply()];
    await v.mined(v.vault.connect(v.second).redeemInKind(shares, v.second.address, [], GAS));
    const got = (await receipts.getFunction("balanceOf")(v.second.address)) as bigint;
    expect(Number(got) / Number((held * shares) / supply)).to.be.within(0.999_999, 1);
    expect(await v.vault.balanceOf(v.second.address)).to.equal(0n);
  });

  it("leave as a claim where asked, paid later in receipts to the wei to whoever holds it then", async () => {
    await plan([
      [AAVE, 500_000n * USDC],
      [CURVE, PLACED],
    ]);
    const { first, second, vault, claims } = v;
    const receipts = new Contract(THREE_POOL.lpToken, ERC20_ABI, fork().provider);
    const receiptsOf = async (who: string): Promise<bigint> => (await receipts.getFunction("balanceOf")(who)) as bigint;
    const at = await adapter.getAddress();
    const whole = await receiptsOf(at);
    const [shares, supply] = [await vault.balanceOf(second.address), await vault.totalSupply()];
    await v.mined(vault.connect(second).redeemInKind(shares, second.address, [at], GAS));
    expect([await receiptsOf(at), await receiptsOf(second.address)]).to.deep.equal([whole, 0n]);
    const units = await claims.balanceOf(second.address, at);
    const { totalUnits } = await vault.adapter(at);
    expect(Number((units * supply * 10n ** 9n) / (shares * totalUnits)) / 1e9).to.be.within(0.999_99, 1);

    await v.mined(claims.connect(second).transfer(first.address, at, units / 3n, GAS));
    for (const [holder, amount] of [
      [first, units / 3n],
      [second, units - units / 3n],
    ] as const) {
      const { totalUnits: total } = await vault.adapter(at);
      const [left, had] = [await receiptsOf(at), await receiptsOf(holder.address)];
      await v.mined(vault.connect(holder).redeemClaim(at, amount, holder.address, GAS));
      expect((await receiptsOf(holder.address)) - had).to.equal((left * amount) / total);
    }
    const { claimUnits, totalUnits: none } = await vault.adapter(at);
    expect([claimUnits, none]).to.deep.equal([0n, 0n]);
    const gone = whole - (await receiptsOf(at));
    expect(Number((whole * units) / totalUnits - gone), "rounding of two payments").to.be.within(0, 2);
    // What is left is the vault's own, and comes home to the last receipt.
    await plan([[CURVE, ALL]]);
    expect(await receiptsOf(at)).to.equal(0n);
  });

  it("are refused by the pool, and nobody enters, once a feed is stale; in kind and by the queue all leave", async function () {
    await plan([[CURVE, PLACED]]);
    await fork().increaseTime(2 * DAY);
    expect(await adapter.steady()).to.equal(false);
    expect(await v.vault.maxDeposit(v.first.address)).to.equal(0n);
    await v.mined(v.vault.connect(v.first).redeemInKind(WAD, v.first.address, [], GAS));
    const most = await v.vault.maxRedeem(v.second.address);
    expect(most > 0n).to.equal(true);
    await v.mined(
      v.vault.connect(v.second)["redeem(uint256,address,address)"](most, v.second.address, v.second.address, GAS),
    );
  });
});
