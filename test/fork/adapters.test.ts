// Each lending adapter by itself on the genuine venue: what its interface promises the vault, to the unit. Amounts are
// seeded; every comparison is within one second, so that interest plays no part.
import { expect } from "chai";
import { Contract, MaxUint256 } from "ethers";
import { TapeFolder } from "../scripts/fork/sampleTape";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";
import { AAVE, COMET, GAS, LendingVault, PLACED, POOL_ABI, refusal, ROUNDING, type Venue } from "./lendingVault";
import { seeded } from "./seeded";

const SEED = 19_700_101;
const ROUNDS = 12;

describeOnFork("the lending adapters", (fork) => {
  const folder = new TapeFolder();
  let v: LendingVault;

  before(async function () {
    await skipWithoutComet(this, fork());
    v = await LendingVault.open(fork(), folder.file("addresses.json"));
    await v.plan([
      [AAVE, PLACED],
      [COMET, PLACED],
    ]);
    await fork().increaseTime(30 * DAY);
  });
  after(() => folder.remove());

  const adapterOf = (venue: Venue) => (venue === AAVE ? v.aaveAdapter : v.cometAdapter);

  /** What `call` ends with if the adapter's vault makes it now. */
  async function refusedOf(venue: Venue, method: "withdraw" | "deposit", assets: bigint): Promise<string> {
    const adapter = adapterOf(venue).connect(await v.as(v.addresses.vault));
    return refusal(adapter[method].staticCall(assets, "0x", GAS));
  }

  for (const [venue, name] of [
    [AAVE, "Aave's"],
    [COMET, "Comet's"],
  ] as const) {
    it(`${name} pays exactly what it is asked for, and falls by that within rounding`, async () => {
      const below = seeded(SEED);
      const adapter = adapterOf(venue);
      const asVault = adapter.connect(await v.as(v.addresses.vault));
      expect(await adapter.exact()).to.equal(true);
      for (let round = 0; round < ROUNDS; round++) {
        const amount = round < 3 ? BigInt(round + 1) : BigInt(below(40_000)) * USDC + BigInt(below(1_000_000)) + 1n;
        const [before, idle] = await v.undisturbed(() => Promise.all([adapter.fairValue(), v.vault.idle()]));
        await v.mined(asVault.withdraw(amount, "0x", GAS));
        expect((await v.vault.idle()) - idle, `asked for ${amount}`).to.equal(amount);
        const fell = before - (await adapter.fairValue());
        expect(Number(fell - amount), `${amount} out of ${before}`).to.be.within(-1, Number(ROUNDING));
      }
      await v.expectClean();
    });

    it(`${name} grows by what it is given within rounding, and keeps no allowance`, async () => {
      const below = seeded(SEED);
      const adapter = adapterOf(venue);
      const asVault = adapter.connect(await v.as(v.addresses.vault));
      for (let round = 0; round < ROUNDS; round++) {
        const amount = round < 3 ? BigInt(round + 1) : BigInt(below(40_000)) * USDC + BigInt(below(1_000_000)) + 1n;
        await fork().fundUsdc(v.adapter(venue), amount);
        const before = await v.undisturbed(() => adapter.fairValue());
        await v.mined(asVault.deposit(amount, "0x", GAS));
        const grew = (await adapter.fairValue()) - before;
        expect(Number(amount - grew), `${amount} into ${before}`).to.be.within(-1, Number(ROUNDING));
        await v.expectClean();
      }
    });

    it(`${name} fair value is what a full exit pays, within rounding`, async () => {
      const adapter = adapterOf(venue);
      const asVault = adapter.connect(await v.as(v.addresses.vault));
      const [fair, exit, idle] = await v.undisturbed(() =>
        Promise.all([adapter.fairValue(), adapter.exitValue(), v.vault.idle()]),
      );
      await v.mined(asVault.withdraw(MaxUint256, "0x", GAS));
      const paid = (await v.vault.idle()) - idle;
      expect(exit).to.equal(fair);
      expect(Number(paid - fair)).to.be.within(-Number(ROUNDING), 0);
      expect(await adapter.fairValue()).to.equal(0n);
    });

    it(`${name} greatest withdrawal can be had, with and without cash, and one unit more cannot`, async () => {
      const adapter = adapterOf(venue);
      for (const cash of [null, 12_345_678_901n, 1n, 0n]) {
        const giveBack = cash === null ? async (): Promise<void> => undefined : await v.drain(venue, cash);
        await v.undisturbed(async () => {
          const most = await adapter.maxWithdraw();
          expect(most).to.equal(cash ?? (await adapter.fairValue()));
          expect(await adapter.exitValue()).to.equal(most);
          if (most !== 0n) expect(await refusedOf(venue, "withdraw", most)).to.equal("none");
          expect(await refusedOf(venue, "withdraw", most + 1n)).to.not.equal("none");
        });
        await giveBack();
      }
    });
  }

  it("Aave's greatest deposit is accepted to the unit, thirty days after its books were last written", async () => {
    await fork().fundUsdc(v.adapter(AAVE), 10_000_000_000n * USDC);
    const recorded = ((await v.aaveConfiguration()) >> 116n) & ((1n << 36n) - 1n);
    const supplied = (await v.token(fork().places.aUsdc).totalSupply()) / USDC;
    // What is owed to Aave's treasury counts too, so the first is full.
    const caps = [supplied + 1n, supplied + 1_000_000n, supplied + 25_000_000n];
    if (recorded > supplied) caps.push(recorded);
    for (const supplyCap of caps) {
      await v.configureAave({ supplyCap });
      await v.undisturbed(async () => {
        const most = await v.aaveAdapter.maxDeposit();
        if (supplyCap > supplied + 1n) expect(Number(most)).to.be.greaterThan(0);
        if (most !== 0n) expect(await refusedOf(AAVE, "deposit", most), `cap ${supplyCap}`).to.equal("none");
        // Rounded towards what surely fits: Aave itself may take up to this much more.
        expect(await refusedOf(AAVE, "deposit", most + 4n), `cap ${supplyCap}`).to.equal("51");
        // The cap is in whole USDC.
        expect(await refusedOf(AAVE, "deposit", most + USDC), `cap ${supplyCap}`).to.equal("51");
      });
    }
    await v.configureAave({ supplyCap: 0n });
    expect(await v.aaveAdapter.maxDeposit()).to.equal(MaxUint256);
    expect(await refusedOf(AAVE, "deposit", 10_000_000_000n * USDC)).to.equal("none");
  });

  it("Aave's takes nothing when paused or frozen, and pays nothing when paused", async () => {
    await fork().fundUsdc(v.adapter(AAVE), USDC);
    for (const [state, deposits, withdrawals] of [
      [{ paused: true }, "29", "29"],
      [{ paused: false, frozen: true }, "28", "none"],
    ] as const) {
      await v.configureAave(state);
      expect(await v.aaveAdapter.maxDeposit()).to.equal(0n);
      expect(await refusedOf(AAVE, "deposit", USDC)).to.equal(deposits);
      expect((await v.aaveAdapter.maxWithdraw()) === 0n).to.equal(withdrawals !== "none");
      expect(await refusedOf(AAVE, "withdraw", USDC)).to.equal(withdrawals);
      expect(Number(await v.aaveAdapter.fairValue())).to.be.greaterThan(Number(PLACED));
    }
  });

  it("Comet's takes nothing when supplies are paused, pays nothing when withdrawals are", async () => {
    await fork().fundUsdc(v.adapter(COMET), USDC);
    for (const [state, deposits, withdrawals] of [
      [{ supply: true }, "Paused", "none"],
      [{ withdraw: true }, "none", "Paused"],
    ] as const) {
      await v.pauseComet(state);
      expect((await v.cometAdapter.maxDeposit()) === 0n).to.equal(deposits !== "none");
      expect(await refusedOf(COMET, "deposit", USDC)).to.equal(deposits);
      expect((await v.cometAdapter.maxWithdraw()) === 0n).to.equal(withdrawals !== "none");
      expect(await refusedOf(COMET, "withdraw", USDC)).to.equal(withdrawals);
      expect(Number(await v.cometAdapter.fairValue())).to.be.greaterThan(Number(PLACED));
    }
  });

  it("Comet's takes more than there is USDC", async () => {
    const supply = 100_000_000_000n * USDC;
    await fork().fundUsdc(v.adapter(COMET), supply);
    expect((await v.cometAdapter.maxDeposit()) > supply).to.equal(true);
    expect(await refusedOf(COMET, "deposit", supply)).to.equal("none");
  });

  it("reads Aave's cash as the generation of pool that is here keeps it", async () => {
    const { aavePool, aUsdc, usdc } = fork().places;
    const pool = new Contract(aavePool, POOL_ABI, fork().provider);
    const kept = (await pool
      .getFunction("getVirtualUnderlyingBalance")(usdc)
      .catch(() => undefined)) as bigint | undefined;
    // Both the recorded state and the local chain hold the generation without virtual balances.
    if (fork().upstream !== "rpc") expect(kept).to.equal(undefined);
    const cash = kept ?? (await v.usdc.balanceOf(aUsdc));
    const fair = await v.aaveAdapter.fairValue();
    expect(await v.aaveAdapter.maxWithdraw()).to.equal(cash < fair ? cash : fair);
    if (kept !== undefined) return;
    // A donation of USDC to the aToken is cash in this generation.
    await v.drain(AAVE);
    expect(await v.aaveAdapter.maxWithdraw()).to.equal(0n);
    await fork().fundUsdc(v.stranger.address, 5n * USDC);
    await v.mined(v.usdc.connect(v.stranger).transfer(aUsdc, 5n * USDC, GAS));
    expect(await v.aaveAdapter.maxWithdraw()).to.equal(5n * USDC);
    expect(await refusedOf(AAVE, "withdraw", 5n * USDC)).to.equal("none");
  });
});
