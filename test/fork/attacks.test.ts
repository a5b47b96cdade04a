// What a stolen keeper key, and strangers, can do to the vault by the ways of the genuine venues: their rounding, caps,
// loans and transfers. Each plan's loss is measured as what all positions are worth in its second with and without it,
// so that interest plays no part, and held against the bound and against what the vault itself charged.
import { expect } from "chai";
import { Contract, MaxUint256 } from "ethers";
import { TapeFolder } from "../scripts/fork/sampleTape";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";
import {
  AAVE,
  ALL,
  COMET,
  COMET_ABI,
  GAS,
  LendingVault,
  PLACED,
  POOL_ABI,
  refusal,
  ROUNDING,
  sumOf,
  type Venue,
} from "./lendingVault";

const WAD = 10n ** 18n;
const VENUES = [
  [AAVE, "Aave"],
  [COMET, "Comet"],
] as const;
const ROUNDS = 10;

describeOnFork("attacks", (fork) => {
  const folder = new TapeFolder();
  const table: (readonly [attack: string, plans: number, loss: bigint, bound: bigint, gain: bigint])[] = [];
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
  after(() => {
    folder.remove();
    if (table.length === 0) return;
    const rows = table.map(
      ([attack, plans, loss, bound, gain]) =>
        `${attack.padEnd(58)}${String(plans).padStart(6)}${[loss, bound, gain].map((n) => String(n).padStart(16)).join("")}`,
    );
    const head = `${"attack (millionths of a USDC, of 1.5 million USDC)".padEnd(58)} plans            loss           bound attacker's gain`;
    console.log(["", head, ...rows].join("\n    "));
  });

  /** What any window of the loss budget may cost at most. */
  async function lossBudget(): Promise<bigint> {
    const [limit] = await v.vault.lossBudget();
    return ((await v.vault.limitBase()) * limit) / WAD;
  }

  /** What plans cost all holders together, and what one of them, a friend of the keeper's, has gained by them. */
  interface Toll {
    plans: number;
    loss: bigint;
    gain: bigint;
  }
  const noToll = (): Toll => ({ plans: 0, loss: 0n, gain: 0n });

  /** A plan, and what it cost; the vault must have charged at least that. */
  async function run(moves: readonly (readonly [Venue, bigint])[], toll = noToll()): Promise<void> {
    const friend = v.second.address;
    const before = await v.undisturbed(() => v.reading(friend, friend));
    const receipt = await v.plan(moves);
    const after = await v.reading(friend, friend);
    const loss = sumOf(before.vault) - sumOf(after.vault);
    const charged = receipt.logs
      .map((log) => v.vault.interface.parseLog(log))
      .find((event) => event?.name === "Rebalanced")?.args["lost"] as bigint;
    expect(charged >= loss, `charged ${charged} for a loss of ${loss}`).to.equal(true);
    expect(Number(charged)).to.be.at.most(Number(ROUNDING) * moves.length);
    await v.expectClean();
    toll.plans++;
    toll.loss += loss;
    toll.gain += after.others - before.others;
  }

  async function tell(attack: string, { plans, loss, gain }: Toll): Promise<void> {
    const bound = await lossBudget();
    expect(loss < bound, `a loss of ${loss}`).to.equal(true);
    // A unit of rounding a plan may fall to the holders' side.
    expect(Number(gain)).to.be.at.most(plans);
    table.push([attack, plans, loss, bound, gain]);
  }

  for (const [venue, name] of VENUES) {
    it(`gains nothing by ${ROUNDS} rounds of one unit into ${name} and out of it`, async () => {
      const toll = noToll();
      for (let round = 0; round < ROUNDS; round++) {
        await run([[venue, 1n]], toll);
        // What a unit became may be less than a unit; the position as a whole has it.
        await run([[venue, -1n]], toll);
      }
      expect(Number(toll.loss)).to.be.within(-toll.plans, toll.plans * Number(ROUNDING));
      await tell(`dust into ${name} and out`, toll);
    });

    it(`loses no more than rounding by churning ${name} until the turnover budget ends it`, async () => {
      const toll = noToll();
      for (;;) {
        await run([[venue, ALL]], toll);
        const back = await v.planOf([[venue, PLACED]]);
        const refused = await refusal(v.vault.connect(v.keeper).rebalance.staticCall(...back, GAS));
        if (refused !== "none") {
          expect(refused).to.equal("TurnoverBudgetExceeded");
          break;
        }
        await run([[venue, PLACED]], toll);
      }
      expect(toll.plans).to.be.greaterThan(4);
      expect(Number(toll.loss)).to.be.within(-toll.plans, toll.plans * Number(ROUNDING));
      await tell(`churn of ${name} until out of budget`, toll);
    });

    it(`leaves ${name} whole by the smallest of numbers, and has nothing to take twice`, async () => {
      const toll = noToll();
      await run([[venue, ALL]], toll);
      const { aave, comet } = await v.position();
      expect(venue === AAVE ? aave : comet).to.equal(0n);
      const again = v.vault.connect(v.keeper).rebalance.staticCall(...(await v.planOf([[venue, ALL]])), GAS);
      expect(await refusal(again)).to.equal("EmptyMove");
      await tell(`all out of ${name}`, toll);
    });

    it(`is refused more than the position in ${name}, and owes nothing`, async () => {
      const held = sumOf(await v.position()) - (await v.vault.idle());
      for (const beyond of [1n, USDC, held]) {
        const { aave, comet } = await v.position();
        const plan = await v.planOf([[venue, -((venue === AAVE ? aave : comet) + beyond)]]);
        const call = v.vault.connect(v.keeper).rebalance.staticCall(...plan, GAS);
        // 32: Aave's "not enough available user balance".
        expect(await refusal(call)).to.equal(venue === AAVE ? "32" : "OverWithdrawal");
      }
      const comet = new Contract(fork().places.comet, COMET_ABI, fork().provider);
      expect(await comet.getFunction("borrowBalanceOf")(v.adapter(COMET))).to.equal(0n);
    });

    it(`never takes the part of ${name} that another claims`, async () => {
      const shares = await v.vault.balanceOf(v.first.address);
      await v.exit(v.first, () => v.redeemInKind(v.first, shares, [venue]));
      const { claimUnits } = await v.vault.adapter(v.adapter(venue));
      const claimed = async (): Promise<bigint> => {
        const { aave, comet } = await v.position();
        const { totalUnits } = await v.vault.adapter(v.adapter(venue));
        return ((venue === AAVE ? aave : comet) * claimUnits) / totalUnits;
      };
      const before = await v.undisturbed(claimed);
      await v.plan([[venue, ALL]]);
      expect(Number((await claimed()) - before)).to.be.within(-Number(ROUNDING), Number(ROUNDING));
      const after = await v.undisturbed(claimed);
      await v.plan([[venue, 100_000n * USDC]]);
      expect(Number((await claimed()) - after)).to.be.within(-Number(ROUNDING), Number(ROUNDING));
    });

    it(`gives who donates to ${name}'s position and leaves no more than it brought`, async () => {
      const stake = 400_000n * USDC;
      const donation = 50_000n * USDC;
      await v.deposit(v.stranger, stake);
      await supply(venue, donation);
      const receipt = v.token(venue === AAVE ? fork().places.aUsdc : fork().places.comet);
      const before = await v.vault.totalAssets();
      await v.mined(receipt.connect(v.stranger).transfer(v.adapter(venue), donation - ROUNDING, GAS));
      // Interest and the drip, at the greatest rate there is, for what has passed since.
      const dripped = (await v.vault.totalAssets()) - before;
      const slack = (before * (await v.vault.maxRate()) * 60n) / (365n * 86_400n * WAD);
      expect(Number(dripped)).to.be.within(0, Number(slack));
      const shares = await v.vault.balanceOf(v.stranger.address);
      let most = -2n * donation;
      for (const leave of [() => v.redeem(v.stranger, shares), () => v.redeemInKind(v.stranger, shares)]) {
        const snapshot: unknown = await fork().provider.send("evm_snapshot", []);
        const held = sumOf(await v.holdings(v.stranger.address));
        await v.mined(leave());
        const gain = sumOf(await v.holdings(v.stranger.address)) - held - stake - donation;
        expect(Number(gain)).to.be.below(Number(slack) - Number(donation));
        if (gain > most) most = gain;
        await fork().provider.send("evm_revert", [snapshot]);
      }
      table.push([`donation to ${name}'s position, leaving at once`, 0, 0n, 0n, most]);
    });

    it(`sends what strangers leave in ${name}'s adapter home with the next deposit`, async () => {
      await fork().fundUsdc(v.stranger.address, 1_000n * USDC);
      await v.mined(v.usdc.connect(v.stranger).transfer(v.adapter(venue), 1_000n * USDC, GAS));
      const before = await v.undisturbed(() => v.position());
      await v.plan([[venue, 10_000n * USDC]]);
      const after = await v.position();
      expect(after.usdc - before.usdc).to.equal(-9_000n * USDC);
      expect(Number(sumOf(after) - sumOf(before))).to.be.closeTo(Number(1_000n * USDC), Number(ROUNDING));
      await v.expectClean();
    });
  }

  it("gives a friend who enters before a plan and leaves after it, all in one block, nothing but rounding", async () => {
    const { provider } = fork();
    const stake = 1_000_000n * USDC;
    await fork().fundUsdc(v.stranger.address, stake);
    await v.mined(v.usdc.connect(v.stranger).approve(v.addresses.vault, stake));
    const plan = await v.planOf([
      [COMET, ALL],
      [AAVE, 250_000n * USDC],
    ]);
    const shares = await v.undisturbed(() => v.vault.previewDeposit(stake));
    const staying = await v.undisturbed(() => v.reading(v.stranger.address, v.second.address));
    // Three transactions of one block have its gas together.
    const third = { gasLimit: 4_000_000n };
    await provider.send("evm_setAutomine", [false]);
    const nonce = await provider.getTransactionCount(v.stranger.address);
    const friend = v.vault.connect(v.stranger);
    const to = v.stranger.address;
    const sent = [
      await friend["deposit(uint256,address)"](stake, to, { ...third, nonce, gasPrice: 3_000_000_000_000n }),
      await v.vault.connect(v.keeper).rebalance(...plan, { ...third, gasPrice: 2_000_000_000_000n }),
      await friend["redeem(uint256,address,address)"](shares, to, to, {
        ...third,
        nonce: nonce + 1,
        gasPrice: 1_000_000_000_000n,
      }),
    ];
    await provider.send("evm_mine", []);
    await provider.send("evm_setAutomine", [true]);
    const receipts = await Promise.all(sent.map((one) => v.mined(Promise.resolve(one))));
    expect(new Set(receipts.map(({ blockNumber }) => blockNumber)).size).to.equal(1);
    expect(receipts.map(({ index }) => index)).to.deep.equal([0, 1, 2]);
    const after = await v.reading(v.stranger.address, v.second.address);
    expect(await v.vault.balanceOf(v.stranger.address)).to.equal(0n);
    const gain = after.receiver.usdc - staying.receiver.usdc;
    expect(Number(gain)).to.be.within(-Number(2n * ROUNDING), 0);
    expect(Number(after.others - staying.others)).to.be.at.least(-Number(2n * ROUNDING));
    const loss = sumOf(staying.vault) - sumOf(after.vault);
    await tell("deposit, plan and redemption in one block", { plans: 1, loss, gain });
  });

  it("cannot place into Aave when its supply cap is full, and nothing else stops", async () => {
    await v.configureAave({ supplyCap: 1n });
    expect(await v.aaveAdapter.maxDeposit()).to.equal(0n);
    const before = await v.vault.totalAssets();
    const plan = v.vault.connect(v.keeper).rebalance.staticCall(...(await v.planOf([[AAVE, USDC]])), GAS);
    // 51: Aave's "supply cap exceeded".
    expect(await refusal(plan)).to.equal("51");
    await run([[COMET, 100_000n * USDC]]);
    await run([[AAVE, ALL]]);
    expect((await v.vault.totalAssets()) >= before - 2n * ROUNDING).to.equal(true);
    const shares = await v.vault.balanceOf(v.first.address);
    await v.exit(v.first, () => v.redeem(v.first, shares));
  });

  it("cannot empty a venue whose cash is gone, takes what there is, and loses nothing by trying", async () => {
    for (const [venue] of VENUES) {
      const giveBack = await v.drain(venue, 1_000n * USDC);
      const all = v.vault.connect(v.keeper).rebalance.staticCall(...(await v.planOf([[venue, ALL]])), GAS);
      expect(await refusal(all)).to.not.equal("none");
      await run([[venue, -1_000n * USDC]]);
      await giveBack();
    }
  });

  /** The stranger supplies to the genuine venue, to have its receipts. */
  async function supply(venue: Venue, amount: bigint): Promise<void> {
    const { usdc, aavePool, comet } = fork().places;
    await fork().fundUsdc(v.stranger.address, amount);
    await v.mined(v.usdc.connect(v.stranger).approve(v.venueOf(venue), MaxUint256, GAS));
    if (venue === AAVE) await v.call(v.stranger, [aavePool, POOL_ABI], "supply", usdc, amount, v.stranger.address, 0);
    else await v.call(v.stranger, [comet, COMET_ABI], "supply", usdc, amount);
  }
});
