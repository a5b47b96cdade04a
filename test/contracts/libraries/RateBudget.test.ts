// The promise of a budget, as a property: whatever the sequence, no window holds more than the limit.
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { DAY, MAX, WAD, deploySystem, deposit, guardOf, movesOf, rebalance, withdraw } from "../deployment";

function generator(seed: bigint): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
    return Number((state >> 33n) % BigInt(below));
  };
}

describe("RateBudget", () => {
  for (const seed of [1n, 2n, 3n]) {
    it(`no window exceeds the turnover limit, over a random sequence with deposits and exits between (seed ${seed})`, async function () {
      this.timeout(240_000);
      const random = generator(seed);
      const window = 6n * 3_600n;
      const system = await deploySystem({
        venues: 2,
        terms: { turnoverBudget: { limit: WAD / 2n, window } },
      });
      const { vault, alice, bob, adapters, unit } = system;
      await deposit(system, alice, 1_000_000n * unit);
      await time.increase(DAY);
      // Shares of total assets as of the moment of spending, as the chain rounds them.
      const spent: { at: number; share: bigint }[] = [];
      for (let i = 0; i < 90; i++) {
        await time.increase([1, 30, 600, 3_000, 7_000, 20_000][random(6)]!);
        const dice = random(10);
        if (dice < 2) await deposit(system, bob, BigInt(1 + random(400_000)) * unit);
        else if (dice < 3) {
          const most = await vault.maxWithdraw(bob.address);
          if (most > 1n) await withdraw(system, bob, most / BigInt(1 + random(3)));
        } else {
          const from = adapters[random(2)]!;
          if ((await from.fairValue()) > 1n && random(2) === 0) {
            await time.increase(12);
            await rebalance(system, [[from, -((await from.fairValue()) / BigInt(1 + random(2)))]]);
          }
          await time.increase(12);
          const [, , available] = await vault.turnoverBudget();
          const base = await vault.limitBase();
          const idle = await vault.idle();
          const wish = (available * base * BigInt(1 + random(8))) / 5n / WAD;
          const amount = wish < idle ? wish : idle;
          if (amount === 0n) continue;
          try {
            const receipt = await (await rebalance(system, [[from, amount]])).wait();
            const log = receipt!.logs.map((l) => vault.interface.parseLog(l)).find((l) => l?.name === "BudgetSpent");
            spent.push({ at: await time.latest(), share: log!.args["share"] as bigint });
          } catch (error) {
            expect(String(error)).to.match(/TurnoverBudgetExceeded/);
          }
        }
      }
      expect(spent.length).to.be.greaterThan(10);
      let most = 0n;
      for (const start of spent) {
        const inside = spent.filter((s) => s.at >= start.at && s.at <= start.at + Number(window));
        const sum = inside.reduce((total, s) => total + s.share, 0n);
        if (sum > most) most = sum;
      }
      expect(most).to.be.at.most(WAD / 2n);
      // The property is not true for want of trying.
      expect(most).to.be.greaterThan(((WAD / 2n) * 6n) / 10n);
    });
  }

  for (const seed of [11n, 12n]) {
    it(`a keeper who wants to lose money cannot lose more than the loss limit in any window (seed ${seed})`, async function () {
      this.timeout(240_000);
      const random = generator(seed);
      const window = 6n * 3_600n;
      const limit = WAD / 100n;
      const system = await deploySystem({
        venues: 2,
        terms: { lossBudget: { limit, window }, lossPerCall: WAD / 250n, turnoverBudget: { limit: 16n * WAD, window } },
      });
      const { vault, alice, bob, adapters, venues, unit, token } = system;
      await deposit(system, alice, 1_000_000n * unit);
      await time.increase(DAY);
      const friend = "0x0000000000000000000000000000000000000fee";
      const start = await token.balanceOf(friend);
      const losses: { at: number; share: bigint }[] = [];
      let refused = 0;
      let lostAssets = 0n;
      for (let i = 0; i < 70; i++) {
        await time.increase([1, 60, 600, 3_000, 12_000][random(5)]!);
        // What a venue keeps of a deposit goes to the keeper's friend.
        await venues[0]!.setFees(BigInt(1 + random(90)), 0n);
        if (random(5) === 0) await deposit(system, bob, BigInt(1 + random(800_000)) * unit);
        if (random(5) === 0) {
          const most = await vault.maxWithdraw(bob.address);
          if (most > 1n) await withdraw(system, bob, most);
        }
        await time.increase(12);
        const held = await adapters[0]!.fairValue();
        if (held > unit) await rebalance(system, [[adapters[0]!, -held + 1n]]);
        await time.increase(12);
        const idle = await vault.idle();
        const amount = (idle * BigInt(1 + random(20))) / 20n;
        try {
          const receipt = await (await rebalance(system, [[adapters[0]!, amount]])).wait();
          const events = receipt!.logs.map((log) => vault.interface.parseLog(log));
          const log = events.find((event) => event?.name === "Rebalanced")!;
          const base = log.args["assetsBefore"] as bigint;
          const lost = log.args["lost"] as bigint;
          losses.push({ at: await time.latest(), share: (lost * WAD) / base });
          lostAssets += lost;
        } catch (error) {
          expect(String(error)).to.match(/LossBudgetExceeded|LossExceeded/);
          refused++;
        }
      }
      expect(refused).to.be.greaterThan(5);
      let most = 0n;
      for (const first of losses) {
        const inside = losses.filter((loss) => loss.at >= first.at && loss.at <= first.at + Number(window));
        const sum = inside.reduce((total, loss) => total + loss.share, 0n);
        if (sum > most) most = sum;
      }
      expect(most).to.be.at.most(limit);
      expect(most).to.be.greaterThan(limit / 2n);
      // The friend gained what was measured as lost, and not more.
      expect((await token.balanceOf(friend)) - start).to.be.at.most(lostAssets);
    });
  }

  it("holds half the limit, and refills half the limit in one window", async () => {
    const system = await deploySystem({ venues: 1, terms: { turnoverBudget: { limit: WAD, window: DAY } } });
    const { vault, alice, adapters, unit } = system;
    await deposit(system, alice, 999_999n * unit);
    await time.increase(DAY);
    expect((await vault.turnoverBudget())[2]).to.equal(WAD / 2n);
    await rebalance(system, [[adapters[0]!, 500_000n * unit]]);
    const at = await time.latest();
    expect((await vault.turnoverBudget())[2]).to.equal(0n);
    await time.increaseTo(at + Number(DAY) / 4);
    expect((await vault.turnoverBudget())[2]).to.equal(WAD / 8n);
    await time.increaseTo(at + Number(DAY));
    expect((await vault.turnoverBudget())[2]).to.equal(WAD / 2n);
    await time.increaseTo(at + 3 * Number(DAY));
    expect((await vault.turnoverBudget())[2]).to.equal(WAD / 2n);
  });

  it("keeps what was used when the limit is lowered, and does not refill by it", async () => {
    const system = await deploySystem({ venues: 1, terms: { turnoverBudget: { limit: WAD, window: DAY } } });
    const { vault, alice, adapters, unit, guardian, owner } = system;
    await deposit(system, alice, 999_999n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 400_000n * unit]]);
    await vault.connect(guardian).setTurnoverBudget(WAD / 2n, DAY);
    expect((await vault.turnoverBudget())[2]).to.equal(0n);
    await vault.connect(owner).setTurnoverBudget(WAD, DAY);
    // A slow machine's minutes refill some of it.
    expect((await vault.turnoverBudget())[2]).to.be.within(WAD / 10n, WAD / 10n + WAD / 100n);
  });

  it("does not refill by deposits: what was used is a share, not an amount", async () => {
    const system = await deploySystem({ venues: 1, terms: { turnoverBudget: { limit: WAD, window: DAY } } });
    const { vault, alice, bob, adapters, unit } = system;
    await deposit(system, alice, 999_999n * unit);
    await time.increase(DAY);
    await rebalance(system, [[adapters[0]!, 500_000n * unit]]);
    await deposit(system, bob, 9_000_000n * unit);
    expect((await vault.turnoverBudget())[2]).to.be.lessThan(WAD / 100n);
  });

  it("holds nothing for a plan in the block of the opening, when there is no earlier total to be a share of", async () => {
    const system = await deploySystem({ venues: 1, open: false });
    const { vault, keeper, adapters, token, unit } = system;
    await token.mint(keeper.address, unit);
    await token.connect(keeper).approve(vault, unit);
    const plan = [await movesOf([[adapters[0]!, unit]]), await guardOf(system)] as const;
    const [, , available] = await vault.turnoverBudget();
    await expect(
      vault
        .connect(keeper)
        .multicall([
          vault.interface.encodeFunctionData("open", [unit]),
          vault.interface.encodeFunctionData("rebalance", [...plan]),
        ]),
    )
      .to.be.revertedWithCustomError(vault, "TurnoverBudgetExceeded")
      .withArgs(2n ** 64n - 1n, available);
  });

  it("holds nothing for a plan of more than any total, not even if the venue would take none of it", async () => {
    const token = await (await ethers.getContractFactory("PlainToken")).deploy(6);
    const system = await deploySystem({ venues: 0, token });
    const { vault, owner, alice, unit } = system;
    const venue = await (await ethers.getContractFactory("StingyVenue")).deploy(token);
    const adapter = await (await ethers.getContractFactory("ERC4626Adapter")).deploy(vault, venue);
    await vault
      .connect(owner)
      .addAdapter({ adapter: await adapter.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n });
    await deposit(system, alice, 1_000n * unit);
    await time.increase(DAY);
    const huge = 2n ** 129n;
    await token.mint(await vault.getAddress(), huge);
    await venue.set(huge, 0n);
    const [, , available] = await vault.turnoverBudget();
    await expect(rebalance(system, [[adapter, huge]]))
      .to.be.revertedWithCustomError(vault, "TurnoverBudgetExceeded")
      .withArgs(2n ** 64n - 1n, available);
  });
});
