// Who may do what, through the vault: the guardian only what is safer, and each of its acts ends all plans that are out; the owner
// either, and its acts end none but a removed keeper's.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { DAY, WAD, deploySystem, deposit, guardOf, movesOf, rebalance, type System } from "../deployment";

async function invested(): Promise<System> {
  const system = await deploySystem({ venues: 2, terms: { depositCap: 10n ** 15n } });
  await deposit(system, system.alice, 1_000n * system.unit);
  await time.increase(DAY);
  await rebalance(system, [[system.adapters[0]!, 100n * system.unit]]);
  return system;
}

type Act = (system: System, who: HardhatEthersSigner) => Promise<unknown>;

const REMOVED = "a keeper removed";

/** What is safer, so that the guardian may do it too. */
const SAFER: readonly (readonly [string, Act])[] = [
  [REMOVED, ({ vault, keeper }, who) => vault.connect(who).setKeeper(keeper.address, false)],
  ["a lower deposit cap", ({ vault }, who) => vault.connect(who).setDepositCap(1n)],
  ["more idle", ({ vault }, who) => vault.connect(who).setMinimumIdle(WAD / 10n)],
  ["a lower loss a call", ({ vault }, who) => vault.connect(who).setLossPerCall(1n)],
  ["a lower loss budget", ({ vault }, who) => vault.connect(who).setLossBudget(1n, DAY)],
  ["a lower cap", ({ vault, adapters }, who) => vault.connect(who).setRelativeCap(adapters[0]!, 1n)],
  ["a lower cap of a group", ({ vault }, who) => vault.connect(who).setGroupCap(0n, 1n)],
  ["a quarantine", ({ vault, adapters }, who) => vault.connect(who).quarantine(adapters[1]!)],
];

describe("Authority", () => {
  for (const [what, act] of SAFER) {
    it(`${what}: by the guardian it ends the plans that are out, and nobody without an office may`, async () => {
      const system = await loadFixture(invested);
      const { vault, guardian, stranger, keeper } = system;
      await expect(act(system, stranger)).to.be.reverted;
      await expect(act(system, keeper)).to.be.reverted;
      const epoch = await vault.planEpoch();
      await act(system, guardian);
      expect(await vault.planEpoch()).to.equal(epoch + 1n);
    });

    // A keeper's plans end with the keeper, whoever removes it.
    const ends = what === REMOVED ? 1n : 0n;
    it(`${what}: by the owner it ends ${ends === 0n ? "none" : "them too"}`, async () => {
      const system = await loadFixture(invested);
      const epoch = await system.vault.planEpoch();
      await act(system, system.owner);
      expect(await system.vault.planEpoch()).to.equal(epoch + ends);
    });
  }

  it("a plan of before an act of the guardian's is refused, one of after it is not", async () => {
    const system = await loadFixture(invested);
    const { vault, guardian, keeper, adapters } = system;
    const moves = await movesOf([[adapters[0]!, -system.unit]]);
    const before = await guardOf(system);
    await vault.connect(guardian).setLossPerCall(1n);
    const after = await vault.nextNonce(keeper.address);
    expect(after >> 64n).to.equal((BigInt(before.nonce) >> 64n) + 1n);
    await expect(vault.connect(keeper).rebalance(moves, before)).to.be.revertedWithCustomError(vault, "WrongNonce");
    await vault.connect(keeper).rebalance(moves, { ...before, nonce: after });
  });

  it("what is riskier is the owner's alone", async () => {
    const { vault, owner, guardian, stranger } = await loadFixture(invested);
    for (const who of [guardian, stranger]) {
      await expect(vault.connect(who).setDepositCap(10n ** 16n))
        .to.be.revertedWithCustomError(vault, "NotOwner")
        .withArgs(who.address);
    }
    await vault.connect(owner).setDepositCap(10n ** 16n);
  });
});
