// Every way out of the vault on the genuine venues, thirty days after the keeper placed the money: what is paid, what is
// left, and what it costs. A broken venue is made by writing the genuine one's state or by acting as its own guardian.
import { expect } from "chai";
import { MaxUint256 } from "ethers";
import { TapeFolder } from "../scripts/fork/sampleTape";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";
import {
  AAVE,
  ALL,
  COMET,
  COMET_ABI,
  EXIT_ROUNDING,
  GAS,
  LendingVault,
  PLACED,
  POOL_ABI,
  refusal,
  ROUNDING,
  sumOf,
  type Exit,
  type Venue,
} from "./lendingVault";

const near = (a: bigint, b: bigint, units: bigint, what?: string): void => {
  expect(Number(a - b), what).to.be.within(-Number(units), Number(units));
};

describeOnFork("exits", (fork) => {
  const folder = new TapeFolder();
  const gas: [path: string, gas: bigint][] = [];
  let v: LendingVault;
  /** All that the first depositor has. */
  let shares: bigint;

  const spent = (path: string, { receipt }: Pick<Exit, "receipt">): void => void gas.push([path, receipt.gasUsed]);
  const inKindOf = ({ got }: Exit): bigint => sumOf(got);

  before(async function () {
    await skipWithoutComet(this, fork());
    v = await LendingVault.open(fork(), folder.file("addresses.json"));
    await v.plan([
      [AAVE, PLACED],
      [COMET, PLACED],
    ]);
    await fork().increaseTime(30 * DAY);
    shares = await v.vault.balanceOf(v.first.address);
  });
  after(() => {
    folder.remove();
    const width = Math.max(0, ...gas.map(([path]) => path.length));
    const rows = gas.map(([path, used]) => `${path.padEnd(width)}  ${used.toLocaleString("en").padStart(9)}`);
    if (rows.length !== 0) console.log(["", "Gas of each way out:", ...rows].join("\n    "));
  });

  /** Both holders leave with all they have, by whatever still pays, and only the seed's part is left. */
  async function everybodyLeaves(): Promise<void> {
    for (const user of [v.first, v.second]) {
      const held = await v.vault.balanceOf(user.address);
      if (held !== 0n) await v.exit(user, () => v.redeem(user, held));
    }
    const seed = v.putIn - 1_500_000n * USDC;
    const left = sumOf(await v.position());
    expect(Number(left)).to.be.within(Number(seed), Number((seed * 102n) / 100n) + 10);
  }

  /** @param told Whether the table has these. */
  async function redeemAtVenues(told = false): Promise<void> {
    const { usdc, aavePool, comet } = fork().places;
    const { first } = v;
    const before = await v.undisturbed(() => v.holdings(first.address), 13);
    const aave = await v.call(first, [aavePool, POOL_ABI], "withdraw", usdc, MaxUint256, first.address);
    const compound = await v.call(first, [comet, COMET_ABI], "withdraw", usdc, MaxUint256);
    if (told) {
      spent("  what came from it, at Aave", { receipt: aave });
      spent("  what came from it, at Comet", { receipt: compound });
    }
    const after = await v.holdings(first.address);
    expect([after.aave, after.comet]).to.deep.equal([0n, 0n]);
    // A second of interest apart.
    expect(Number(after.usdc - sumOf(before))).to.be.within(-Number(2n * ROUNDING), 100_000);
  }

  describe("with sound venues", () => {
    it("has earned what the venues' own books say", async () => {
      const position = await v.position();
      expect(position.usdc).to.equal(v.putIn - 2n * PLACED);
      for (const grown of [position.aave, position.comet])
        expect(Number(grown - PLACED)).to.be.within(Number(PLACED) * 0.0005, Number(PLACED) * 0.05);
      expect(await v.vault.totalAssets()).to.equal(sumOf(position));
    });

    it("withdraws from idle", async () => {
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 100_000n * USDC));
      expect(exit.got).to.deep.equal({ usdc: 100_000n * USDC, aave: 0n, comet: 0n });
      expect(exit.after.vault).to.deep.equal({ ...exit.before.vault, usdc: exit.before.vault.usdc - 100_000n * USDC });
      spent("withdraw, from idle", exit);
    });

    it("withdraws through Aave", async () => {
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 500_000n * USDC));
      expect(exit.got).to.deep.equal({ usdc: 500_000n * USDC, aave: 0n, comet: 0n });
      expect(exit.after.vault.usdc).to.equal(0n);
      expect(exit.after.vault.comet).to.equal(exit.before.vault.comet);
      near(exit.before.vault.aave - exit.after.vault.aave, 500_000n * USDC - exit.before.vault.usdc, ROUNDING);
      spent("withdraw, idle and Aave", exit);
    });

    it("withdraws through Comet", async () => {
      const order = [COMET, AAVE].map((venue) => v.adapter(venue as Venue));
      const others = (await v.vault.adapters()).filter((adapter) => !order.includes(adapter));
      await v.mined(v.vault.connect(await v.owner()).setQueue([...order, ...others], GAS));
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 500_000n * USDC));
      expect(exit.got).to.deep.equal({ usdc: 500_000n * USDC, aave: 0n, comet: 0n });
      expect(exit.after.vault.aave).to.equal(exit.before.vault.aave);
      near(exit.before.vault.comet - exit.after.vault.comet, 500_000n * USDC - exit.before.vault.usdc, ROUNDING);
      spent("withdraw, idle and Comet", exit);
    });

    it("withdraws through both", async () => {
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 950_000n * USDC));
      expect(exit.got).to.deep.equal({ usdc: 950_000n * USDC, aave: 0n, comet: 0n });
      expect(Number(exit.after.vault.aave)).to.be.at.most(Number(ROUNDING));
      expect(exit.after.vault.comet < exit.before.vault.comet).to.equal(true);
      spent("withdraw, idle, Aave and Comet", exit);
      await everybodyLeaves();
    });

    it("redeems all shares for their part of everything put in and earned", async () => {
      const due = await v.undisturbed(() => v.vault.previewRedeem(shares));
      const exit = await v.exit(v.first, () => v.redeem(v.first, shares));
      expect(exit.got).to.deep.equal({ usdc: due, aave: 0n, comet: 0n });
      expect(await v.vault.balanceOf(v.first.address)).to.equal(0n);
      spent("redeem of all shares, idle, Aave and Comet", exit);
      await everybodyLeaves();
    });

    it("pays all shares in kind, and the venues pay for what was received", async () => {
      const due = await v.undisturbed(() => v.vault.previewRedeem(shares));
      const exit = await v.exit(v.first, () => v.redeemInKind(v.first, shares));
      for (const amount of Object.values(exit.got)) expect(Number(amount)).to.be.greaterThan(0);
      // Three parts, each rounded down, and receipts that the venues round.
      expect(Number(due - inKindOf(exit))).to.be.within(-1, 3 + Number(EXIT_ROUNDING));
      expect(await v.claims.balanceOf(v.first.address, v.adapter(AAVE))).to.equal(0n);
      spent("redeemInKind of all shares", exit);
      await redeemAtVenues(true);
      await everybodyLeaves();
    });

    it("pays in kind but for a skipped venue, whose claim is paid later with its interest", async () => {
      const exit = await v.exit(v.first, () => v.redeemInKind(v.first, shares, [AAVE]));
      expect(exit.got.aave).to.equal(0n);
      expect(exit.after.vault.aave).to.equal(exit.before.vault.aave);
      spent("redeemInKind, Aave skipped", exit);

      const units = await v.claims.balanceOf(v.first.address, v.adapter(AAVE));
      const { claimUnits, totalUnits } = await v.vault.adapter(v.adapter(AAVE));
      expect(units).to.equal(claimUnits);
      // The claim is not the vault's any more.
      const position = await v.position();
      const own = sumOf(position) - (position.aave * units) / totalUnits;
      near(await v.vault.totalAssets(), own, 2n);

      await fork().increaseTime(DAY);
      const paid = await v.exit(v.first, () =>
        v.vault.connect(v.first).redeemClaim(v.adapter(AAVE), units, v.first.address, GAS),
      );
      const due = (paid.before.vault.aave * units) / totalUnits;
      near(paid.got.aave, due, ROUNDING);
      expect(paid.got.aave > (exit.before.vault.aave * units) / totalUnits, "a day's interest").to.equal(true);
      near(paid.after.totalAssets, paid.before.totalAssets, ROUNDING, "the vault's own part");
      expect((await v.vault.adapter(v.adapter(AAVE))).totalUnits).to.equal(0n);
      spent("redeemClaim, aUSDC", paid);
      await redeemAtVenues();
      await everybodyLeaves();
    });

    it("pays a claim that was given to another", async () => {
      await v.exit(v.first, () => v.redeemInKind(v.first, shares, [COMET]));
      const units = await v.claims.balanceOf(v.first.address, v.adapter(COMET));
      const given = await v.mined(v.claims.connect(v.first).transfer(v.stranger.address, v.adapter(COMET), units, GAS));
      spent("transfer of a claim", { receipt: given });
      const asFirst = v.vault.connect(v.first).redeemClaim;
      expect(await refusal(asFirst.staticCall(v.adapter(COMET), units, v.first.address))).to.equal("ClaimTooLarge");
      const { totalUnits } = await v.vault.adapter(v.adapter(COMET));
      const paid = await v.exit(
        v.stranger,
        () => v.vault.connect(v.stranger).redeemClaim(v.adapter(COMET), units, v.stranger.address, GAS),
        v.stranger.address,
      );
      near(paid.got.comet, (paid.before.vault.comet * units) / totalUnits, ROUNDING);
      spent("redeemClaim, Comet's balance, by another", paid);
      await everybodyLeaves();
    });
  });

  describe("tripped", () => {
    it("withdraws while the guardian has tripped", async () => {
      await v.mined(v.vault.connect(v.guardian).guardianTrip(7 * DAY, GAS));
      expect(await v.vault.maxDeposit(v.first.address)).to.equal(0n);
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 950_000n * USDC));
      expect(exit.got.usdc).to.equal(950_000n * USDC);
      spent("withdraw, tripped by the guardian", exit);
      await everybodyLeaves();
    });

    it("withdraws and redeems in kind while tripped by proof", async () => {
      await v.tripByProof();
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 950_000n * USDC));
      expect(exit.got.usdc).to.equal(950_000n * USDC);
      spent("withdraw, tripped by proof", exit);
      const rest = await v.vault.balanceOf(v.first.address);
      spent("redeemInKind, tripped by proof", await v.exit(v.first, () => v.redeemInKind(v.first, rest)));
      await everybodyLeaves();
    });

    it("lets anyone bring each venue's money home once tripped by proof, and then pays from idle", async () => {
      expect(await refusal(v.vault.connect(v.stranger).emergencyExit.staticCall(v.adapter(AAVE)))).to.equal(
        "NotTripped",
      );
      await v.tripByProof();
      for (const [venue, name] of [
        [AAVE, "Aave"],
        [COMET, "Comet"],
      ] as const) {
        const home = await v.exit(v.stranger, () => v.vault.connect(v.stranger).emergencyExit(v.adapter(venue), GAS));
        expect(home.got).to.deep.equal({ usdc: 0n, aave: 0n, comet: 0n });
        spent(`emergencyExit from ${name}, by anyone`, home);
      }
      const position = await v.position();
      expect(Number(position.aave + position.comet)).to.be.at.most(Number(2n * ROUNDING));
      const exit = await v.exit(v.first, () => v.redeem(v.first, shares));
      expect(exit.got.usdc).to.equal(exit.before.vault.usdc - exit.after.vault.usdc);
      spent("redeem of all shares, after emergency exits", exit);
      await everybodyLeaves();
    });
  });

  describe("with one adapter in quarantine", () => {
    /** What was written off counts at once; its interest meanwhile, as any gain that waits, drips in. */
    async function liftsQuarantine(exit: Exit): Promise<void> {
      await v.mined(v.vault.connect(await v.owner()).liftQuarantine(v.adapter(COMET), GAS));
      const position = await v.position();
      const waiting = sumOf(position) - (await v.vault.totalAssets());
      const interest = (exit.after.vault.comet * 10n) / 100n / (365n * 24n * 60n);
      expect(Number(waiting)).to.be.within(0, Number(interest));
      await fork().increaseTime(DAY);
      expect(await v.vault.totalAssets()).to.equal(sumOf(await v.position()));
    }

    it("redeems without it at the written-off price, and the lift gives it to who stayed", async () => {
      await v.mined(v.vault.connect(v.guardian).quarantine(v.adapter(COMET), GAS));
      const exit = await v.exit(v.first, () => v.redeem(v.first, shares));
      const { usdc, aave, comet } = exit.before.vault;
      near(exit.got.usdc, ((usdc + aave) * shares) / (shares + (await v.vault.totalSupply())), 2n);
      expect(exit.after.vault.comet).to.equal(comet);
      spent("redeem of all shares, Comet in quarantine", exit);
      await liftsQuarantine(exit);
      const held = await v.vault.balanceOf(v.second.address);
      const last = await v.exit(v.second, () => v.redeem(v.second, held));
      expect(last.got.usdc > exit.before.vault.comet, "with what the first left behind").to.equal(true);
    });

    it("pays of it in kind what was written off, raw, and the lift counts the rest back", async () => {
      await v.mined(v.vault.connect(v.guardian).quarantine(v.adapter(COMET), GAS));
      const [writtenOff] = await v.vault.writtenOff();
      const exit = await v.exit(v.first, () => v.redeemInKind(v.first, shares));
      const supply = shares + (await v.vault.totalSupply());
      // Its interest since stays with those who stay.
      near(exit.got.comet, (writtenOff * shares) / supply, ROUNDING);
      const { usdc, aave } = exit.before.vault;
      near(inKindOf(exit), ((usdc + aave + writtenOff) * shares) / supply, 3n + EXIT_ROUNDING);
      spent("redeemInKind, Comet in quarantine", exit);
      await liftsQuarantine(exit);
      await everybodyLeaves();
    });
  });

  describe("with a venue that does not pay", () => {
    /** What is left without `venue` is all that can be had, to the unit; more is refused; nobody else's shares suffer. */
    async function paysAllButOf(venue: Venue, path: string): Promise<void> {
      const withdraw = v.vault.connect(v.first)["withdraw(uint256,address,address)"];
      const refused = (assets: bigint): Promise<string> =>
        refusal(withdraw.staticCall(assets, v.first.address, v.first.address, GAS));
      const most = await v.undisturbed(async () => {
        const most = await v.vault.maxWithdraw(v.first.address);
        const { usdc, aave, comet } = await v.position();
        expect(most).to.equal(usdc + (venue === AAVE ? comet : aave));
        expect(await refused(most)).to.equal("none");
        expect(await refused(most + 1n)).to.equal("InsufficientLiquidity");
        return most;
      });
      const exit = await v.exit(v.first, () => v.withdraw(v.first, most));
      expect(exit.got.usdc).to.equal(most);
      spent(path, exit);
    }

    /** In kind: the broken venue's part as a claim if `asClaim`, else as its receipts. */
    async function leavesInKind(venue: Venue, asClaim: boolean, path?: string): Promise<bigint> {
      const exit = await v.exit(v.first, () => v.redeemInKind(v.first, shares));
      const receipts = venue === AAVE ? exit.got.aave : exit.got.comet;
      const units = await v.claims.balanceOf(v.first.address, v.adapter(venue));
      expect([receipts === 0n, units !== 0n]).to.deep.equal([asClaim, asClaim]);
      expect(Number(exit.got.usdc)).to.be.greaterThan(0);
      if (path !== undefined) spent(path, exit);
      return units;
    }

    async function claimIsPaid(venue: Venue, units: bigint): Promise<void> {
      const call = v.vault.connect(v.first).redeemClaim;
      const { totalUnits } = await v.vault.adapter(v.adapter(venue));
      const paid = await v.exit(v.first, () => call(v.adapter(venue), units, v.first.address, GAS));
      const [got, whole] =
        venue === AAVE ? [paid.got.aave, paid.before.vault.aave] : [paid.got.comet, paid.before.vault.comet];
      near(got, (whole * units) / totalUnits, ROUNDING);
    }

    it("Aave's reserve paused: idle and Comet pay, in kind becomes a claim, paid once the pause ends", async () => {
      await v.configureAave({ paused: true });
      const units = await leavesInKind(AAVE, true, "redeemInKind, Aave paused: a claim");
      const claim = v.vault.connect(v.first).redeemClaim;
      expect(await refusal(claim.staticCall(v.adapter(AAVE), units, v.first.address))).to.equal("29");
      await v.configureAave({ paused: false });
      await claimIsPaid(AAVE, units);
      await redeemAtVenues();
      await everybodyLeaves();
    });

    it("Aave's reserve paused: a withdrawal takes what idle and Comet have", async () => {
      await v.configureAave({ paused: true });
      await paysAllButOf(AAVE, "withdraw, Aave paused");
      await v.configureAave({ paused: false });
      await everybodyLeaves();
    });

    it("Aave's reserve frozen: every exit pays as before", async () => {
      await v.configureAave({ frozen: true });
      const exit = await v.exit(v.first, () => v.withdraw(v.first, 950_000n * USDC));
      expect(exit.got.usdc).to.equal(950_000n * USDC);
      spent("withdraw, Aave frozen", exit);
      const rest = await v.vault.balanceOf(v.first.address);
      await v.exit(v.first, () => v.redeemInKind(v.first, rest));
      await everybodyLeaves();
    });

    it("Aave's cash gone: idle and Comet pay, aUSDC in kind, worth its face once the cash is back", async () => {
      const giveBack = await v.drain(AAVE);
      await leavesInKind(AAVE, false, "redeemInKind, Aave without cash");
      const { usdc, aavePool } = fork().places;
      await giveBack();
      await v.call(v.first, [aavePool, POOL_ABI], "withdraw", usdc, MaxUint256, v.first.address);
      await everybodyLeaves();
    });

    it("Aave's cash gone: a withdrawal takes what idle and Comet have", async () => {
      const giveBack = await v.drain(AAVE);
      await paysAllButOf(AAVE, "withdraw, Aave without cash");
      await giveBack();
      await everybodyLeaves();
    });

    it("Aave's cash nearly gone: a withdrawal takes the rest of it too", async () => {
      await v.drain(AAVE, 1_000n * USDC);
      const { usdc, comet } = await v.position();
      const exit = await v.exit(v.first, () => v.withdraw(v.first, usdc + comet));
      expect(exit.got.usdc).to.equal(usdc + comet);
      expect(await v.usdc.balanceOf(fork().places.aUsdc)).to.equal(0n);
      spent("withdraw, Aave with a little cash", exit);
    });

    it("Comet's withdrawals paused: idle and Aave pay, its balance goes in kind", async () => {
      await v.pauseComet({ withdraw: true });
      await leavesInKind(COMET, false, "redeemInKind, Comet's withdrawals paused");
      const { usdc, comet } = fork().places;
      await v.pauseComet({});
      await v.call(v.first, [comet, COMET_ABI], "withdraw", usdc, MaxUint256);
      await everybodyLeaves();
    });

    it("Comet's withdrawals paused: a withdrawal takes what idle and Aave have", async () => {
      await v.pauseComet({ withdraw: true });
      await paysAllButOf(COMET, "withdraw, Comet's withdrawals paused");
      await v.pauseComet({});
      await everybodyLeaves();
    });

    it("Comet's transfers paused too: in kind becomes a claim, paid once the pause ends", async () => {
      await v.pauseComet({ withdraw: true, transfer: true });
      const units = await leavesInKind(COMET, true, "redeemInKind, Comet paused: a claim");
      const claim = v.vault.connect(v.first).redeemClaim;
      expect(await refusal(claim.staticCall(v.adapter(COMET), units, v.first.address))).to.equal("Paused");
      await v.pauseComet({});
      await claimIsPaid(COMET, units);
      await redeemAtVenues();
      await everybodyLeaves();
    });

    it("Comet's cash gone: idle and Aave pay, its balance goes in kind", async () => {
      const giveBack = await v.drain(COMET);
      await paysAllButOf(COMET, "withdraw, Comet without cash");
      const rest = await v.vault.balanceOf(v.first.address);
      const exit = await v.exit(v.first, () => v.redeemInKind(v.first, rest));
      expect(Number(exit.got.comet)).to.be.greaterThan(0);
      spent("redeemInKind, Comet without cash", exit);
      await giveBack();
      await everybodyLeaves();
    });

    it("both paused: idle in kind, both claims, and each is paid when its venue pays again", async () => {
      await v.configureAave({ paused: true });
      await v.pauseComet({ withdraw: true, transfer: true });
      const aave = await leavesInKind(AAVE, true, "redeemInKind, both paused: two claims");
      const comet = await v.claims.balanceOf(v.first.address, v.adapter(COMET));
      await fork().increaseTime(DAY);
      await v.pauseComet({});
      await claimIsPaid(COMET, comet);
      await v.configureAave({ paused: false });
      await claimIsPaid(AAVE, aave);
      await redeemAtVenues();
      await everybodyLeaves();
    });

    it("Aave paused: a claim outlives the keeper's bringing all of the vault's part home", async () => {
      await v.configureAave({ paused: true });
      const units = await leavesInKind(AAVE, true);
      await v.configureAave({ paused: false });
      await v.plan([[AAVE, ALL]]);
      await claimIsPaid(AAVE, units);
      await everybodyLeaves();
    });
  });
});
