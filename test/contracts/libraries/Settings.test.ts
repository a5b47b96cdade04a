// Configuration, opening, setters and handovers: who may do what, in which direction.
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers } from "hardhat";
import type { Vault } from "../../../typechain-types";
import {
  DAY,
  MAX,
  WAD,
  YEAR,
  defaultTerms,
  deployLibraries,
  deploySystem,
  deposit,
  rebalance,
  type System,
} from "../deployment";

async function system(): Promise<System> {
  return deploySystem({
    venues: 2,
    terms: { minimumIdle: WAD / 10n, managementFee: WAD / 100n, performanceFee: WAD / 10n, depositCap: 10n ** 15n },
    adapterTerms: () => ({ absoluteCap: 10n ** 14n, relativeCap: WAD / 2n }),
  });
}

async function configuration(s: System, over: Record<string, unknown>) {
  return {
    asset: await s.token.getAddress(),
    owner: await s.timelock.getAddress(),
    guardian: s.guardian.address,
    keepers: [s.keeper.address],
    feeRecipient: ethers.ZeroAddress,
    ...defaultTerms,
    adapters: [],
    ...over,
  };
}

describe("Settings: first configuration", () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ["no owner", { owner: ethers.ZeroAddress }, "ZeroAddress"],
    ["no guardian", { guardian: ethers.ZeroAddress }, "ZeroAddress"],
    ["a keeper that is nobody", { keepers: [ethers.ZeroAddress] }, "ZeroAddress"],
    ["a fee without a recipient", { managementFee: 1n }, "ZeroAddress"],
    [
      "a management fee above 2 %",
      { managementFee: WAD / 50n + 1n, feeRecipient: "0x" + "11".repeat(20) },
      "OutOfRange",
    ],
    [
      "a performance fee above 20 %",
      { performanceFee: WAD / 5n + 1n, feeRecipient: "0x" + "11".repeat(20) },
      "OutOfRange",
    ],
    ["a rate above 200 %", { maxRate: 2n * WAD + 1n }, "OutOfRange"],
    ["more idle than all", { minimumIdle: WAD + 1n }, "OutOfRange"],
    ["more loss than all", { lossPerCall: WAD + 1n }, "OutOfRange"],
    ["a budget without a window", { lossBudget: { limit: 0n, window: 0n } }, "OutOfRange"],
    ["a budget over more than a year", { turnoverBudget: { limit: 0n, window: YEAR + 1n } }, "OutOfRange"],
    ["an emergency budget over no time", { emergencyBudget: { limit: 0n, window: 0n } }, "OutOfRange"],
    ["a group above all", { groups: [{ name: ethers.ZeroHash, relativeCap: WAD + 1n }] }, "OutOfRange"],
    [
      "nine groups",
      { groups: Array.from({ length: 9 }, () => ({ name: ethers.ZeroHash, relativeCap: WAD })) },
      "TooManyGroups",
    ],
    ["a condition that is nobody", { conditions: [ethers.ZeroAddress] }, "ZeroAddress"],
    ["a condition twice", { conditions: ["0x" + "11".repeat(20), "0x" + "11".repeat(20)] }, "Unchanged"],
  ];
  it("registers the conditions, with the event of a later registration", async () => {
    const s = await loadFixture(system);
    const conditions = ["0x" + "11".repeat(20), "0x" + "22".repeat(20)];
    const factory = await ethers.getContractFactory("Vault", { libraries: await deployLibraries() });
    const vault = await factory.deploy((await configuration(s, { conditions })) as never);
    for (const condition of conditions) {
      await expect(vault.deploymentTransaction()).to.emit(vault, "ConditionChanged").withArgs(condition, true);
      expect(await vault.condition(condition)).to.deep.equal([true, 0n]);
    }
  });

  for (const [what, over, error] of wrong) {
    it(`refuses ${what}`, async () => {
      const s = await loadFixture(system);
      const factory = await ethers.getContractFactory("Vault", { libraries: await deployLibraries() });
      await expect(factory.deploy((await configuration(s, over)) as never)).to.be.revertedWithCustomError(
        factory,
        error,
      );
    });
  }

  it("refuses an adapter of another vault, and one of another asset", async () => {
    const s = await loadFixture(system);
    const adapter = async (vault: string, asset: string) => ({
      adapter: await (await (await ethers.getContractFactory("HostileAdapter")).deploy(vault, asset)).getAddress(),
      absoluteCap: MAX,
      relativeCap: WAD,
      groupMask: 0n,
    });
    const other = await adapter(s.alice.address, await s.token.getAddress());
    await expect(s.vault.connect(s.owner).addAdapter(other))
      .to.be.revertedWithCustomError(s.vault, "AdapterOfOtherVault")
      .withArgs(other.adapter, s.alice.address);
    const foreign = await adapter(await s.vault.getAddress(), s.alice.address);
    await expect(s.vault.connect(s.owner).addAdapter(foreign))
      .to.be.revertedWithCustomError(s.vault, "AdapterOfOtherAsset")
      .withArgs(foreign.adapter, s.alice.address);
  });

  it("takes no adapter without code", async () => {
    const s = await loadFixture(system);
    const terms = { adapter: s.alice.address, absoluteCap: MAX, relativeCap: WAD, groupMask: 0n };
    await expect(s.vault.connect(s.owner).addAdapter(terms))
      .to.be.revertedWithCustomError(s.vault, "NotContract")
      .withArgs(s.alice.address);
  });

  it("takes ten adapters and no more, none twice, in groups that exist", async () => {
    const s = await loadFixture(system);
    const add = async (over: object = {}) => {
      const adapter = await (await ethers.getContractFactory("HostileAdapter")).deploy(s.vault, s.token);
      const terms = { adapter: await adapter.getAddress(), absoluteCap: MAX, relativeCap: WAD, groupMask: 0n, ...over };
      return s.vault.connect(s.owner).addAdapter(terms);
    };
    await expect(add({ groupMask: 2n }))
      .to.be.revertedWithCustomError(s.vault, "UnknownGroup")
      .withArgs(1n);
    const known = await s.adapters[0]!.getAddress();
    await expect(add({ adapter: known }))
      .to.be.revertedWithCustomError(s.vault, "AdapterKnown")
      .withArgs(known);
    await expect(add({ relativeCap: WAD + 1n })).to.be.revertedWithCustomError(s.vault, "OutOfRange");
    for (let i = 2; i < 10; i++) await add();
    await expect(add()).to.be.revertedWithCustomError(s.vault, "TooManyAdapters").withArgs(11n, 10n);
    expect(await s.vault.adapters()).to.have.length(10);
    // Ten adapters fit in a transaction, whatever is done.
    await deposit(s, s.alice, 1_000n * s.unit);
  });
});

describe("Settings: opening", () => {
  async function closed(): Promise<System> {
    return deploySystem({ open: false, venues: 0 });
  }

  it("burns the seed, once", async () => {
    const s = await loadFixture(closed);
    await expect(s.vault.open(s.unit)).to.emit(s.vault, "Opened").withArgs(s.unit, WAD);
    await expect(s.vault.open(s.unit)).to.be.revertedWithCustomError(s.vault, "AlreadyOpened");
    expect(await s.vault.balanceOf("0x000000000000000000000000000000000000dEaD")).to.equal(WAD);
  });

  it("refuses a seed that would protect nothing", async () => {
    const s = await loadFixture(closed);
    await expect(s.vault.open(999_999n))
      .to.be.revertedWithCustomError(s.vault, "SeedTooSmall")
      .withArgs(999_999n, 1_000_000n);
  });

  const holders: [string, (s: System) => Record<string, unknown>][] = [
    ["guardian", (s) => ({ guardian: s.deployer.address })],
    ["keeper", (s) => ({ keepers: [s.deployer.address] })],
  ];
  for (const [role, over] of holders) {
    it(`refuses while the deployer is ${role}`, async () => {
      const s = await loadFixture(closed);
      const factory = await ethers.getContractFactory("Vault", { libraries: await deployLibraries() });
      const vault = (await factory.deploy((await configuration(s, over(s))) as never)) as Vault;
      await s.token.approve(vault, MAX);
      await expect(vault.open(s.unit))
        .to.be.revertedWithCustomError(vault, "DeployerHoldsRole")
        .withArgs(s.deployer.address, ethers.encodeBytes32String(role));
    });
  }

  it("refuses an owner that is no timelock, one with too short a delay, and one where the deployer has a role", async () => {
    const s = await loadFixture(closed);
    const factory = await ethers.getContractFactory("Vault", { libraries: await deployLibraries() });
    const withOwner = async (owner: string) =>
      (await factory.deploy((await configuration(s, { owner })) as never)) as Vault;

    const person = await withOwner(s.alice.address);
    await expect(person.open(s.unit))
      .to.be.revertedWithCustomError(person, "OwnerNotTimelock")
      .withArgs(s.alice.address);
    const token = await withOwner(await s.token.getAddress());
    await expect(token.open(s.unit)).to.be.revertedWithCustomError(token, "OwnerNotTimelock");

    const controller = await ethers.getContractFactory("TimelockController");
    const hasty = await controller.deploy(DAY - 1n, [], [], ethers.ZeroAddress);
    const short = await withOwner(await hasty.getAddress());
    await expect(short.open(s.unit))
      .to.be.revertedWithCustomError(short, "DelayTooShort")
      .withArgs(DAY - 1n, DAY);

    const deployer = s.deployer.address;
    for (const [proposers, executors, admin, role] of [
      [[deployer], [], ethers.ZeroAddress, ethers.id("PROPOSER_ROLE")],
      [[], [deployer], ethers.ZeroAddress, ethers.id("EXECUTOR_ROLE")],
      [[], [], deployer, ethers.ZeroHash],
    ] as const) {
      const timelock = await controller.deploy(DAY, [...proposers], [...executors], admin);
      const vault = await withOwner(await timelock.getAddress());
      await expect(vault.open(s.unit))
        .to.be.revertedWithCustomError(vault, "DeployerHoldsRole")
        .withArgs(deployer, role);
    }
  });

  it("refuses to open for an owner who created the vault itself", async () => {
    const s = await loadFixture(closed);
    const factory = await ethers.getContractFactory("Vault", { libraries: await deployLibraries(), signer: s.owner });
    const vault = (await factory.deploy((await configuration(s, {})) as never)) as Vault;
    await expect(vault.connect(s.alice).open(s.unit))
      .to.be.revertedWithCustomError(vault, "DeployerHoldsRole")
      .withArgs(s.owner.address, ethers.encodeBytes32String("owner"));
  });
});

describe("Settings: each setter knows its safer direction", () => {
  type Call = (vault: Vault, s: System) => Promise<unknown>;
  const setters: [name: string, safer: Call | null, riskier: Call, same: Call][] = [
    ["setDepositCap", (v) => v.setDepositCap(1n), (v) => v.setDepositCap(MAX), (v) => v.setDepositCap(10n ** 15n)],
    [
      "setMinimumIdle",
      (v) => v.setMinimumIdle(WAD / 5n),
      (v) => v.setMinimumIdle(0n),
      (v) => v.setMinimumIdle(WAD / 10n),
    ],
    [
      "setLossPerCall",
      (v) => v.setLossPerCall(0n),
      (v) => v.setLossPerCall(WAD / 100n),
      (v) => v.setLossPerCall(WAD / 1000n),
    ],
    [
      "setLossBudget",
      (v) => v.setLossBudget(WAD / 200n, DAY),
      (v) => v.setLossBudget(WAD / 50n, DAY),
      (v) => v.setLossBudget(WAD / 100n, DAY),
    ],
    [
      "setLossBudget's window",
      null,
      (v) => v.setLossBudget(WAD / 100n, 2n * DAY),
      (v) => v.setLossBudget(WAD / 100n, DAY),
    ],
    [
      "setTurnoverBudget",
      (v) => v.setTurnoverBudget(0n, DAY),
      (v) => v.setTurnoverBudget(8n * WAD, DAY),
      (v) => v.setTurnoverBudget(4n * WAD, DAY),
    ],
    [
      "setEmergencyBudget",
      (v) => v.setEmergencyBudget(0n, 7n * DAY),
      (v) => v.setEmergencyBudget(WAD, 7n * DAY),
      (v) => v.setEmergencyBudget(WAD / 50n, 7n * DAY),
    ],
    [
      "setManagementFee",
      (v) => v.setManagementFee(0n),
      (v) => v.setManagementFee(WAD / 50n),
      (v) => v.setManagementFee(WAD / 100n),
    ],
    [
      "setPerformanceFee",
      (v) => v.setPerformanceFee(0n),
      (v) => v.setPerformanceFee(WAD / 5n),
      (v) => v.setPerformanceFee(WAD / 10n),
    ],
    [
      "setAbsoluteCap",
      (v, s) => v.setAbsoluteCap(s.adapters[0]!, 0n),
      (v, s) => v.setAbsoluteCap(s.adapters[0]!, MAX),
      (v, s) => v.setAbsoluteCap(s.adapters[0]!, 10n ** 14n),
    ],
    [
      "setRelativeCap",
      (v, s) => v.setRelativeCap(s.adapters[0]!, 0n),
      (v, s) => v.setRelativeCap(s.adapters[0]!, WAD),
      (v, s) => v.setRelativeCap(s.adapters[0]!, WAD / 2n),
    ],
    ["setGroupCap", (v) => v.setGroupCap(0n, 0n), (v) => v.setGroupCap(0n, WAD), (v) => v.setGroupCap(0n, WAD / 2n)],
    ["setGroupMask", null, (v, s) => v.setGroupMask(s.adapters[0]!, 0n), (v, s) => v.setGroupMask(s.adapters[0]!, 1n)],
    ["setMaxRate", null, (v) => v.setMaxRate(0n), (v) => v.setMaxRate(WAD / 2n)],
  ];
  async function ready(): Promise<System> {
    const s = await system();
    await s.vault.connect(s.owner).setGroupCap(0n, WAD / 2n);
    return s;
  }
  for (const [name, safer, riskier, same] of setters) {
    it(`${name}: the guardian may tighten, only the timelock may loosen, a stranger may neither`, async () => {
      const s = await loadFixture(ready);
      const by = (who: HardhatEthersSigner) => s.vault.connect(who) as Vault;
      await expect(riskier(by(s.guardian), s)).to.be.revertedWithCustomError(s.vault, "NotOwner");
      await expect(riskier(by(s.keeper), s)).to.be.revertedWithCustomError(s.vault, "NotOwner");
      await expect(same(by(s.owner), s)).to.be.revertedWithCustomError(s.vault, "Unchanged");
      if (safer) {
        await expect(safer(by(s.stranger), s)).to.be.revertedWithCustomError(s.vault, "NotGuardianOrOwner");
        await expect(safer(by(s.keeper), s)).to.be.revertedWithCustomError(s.vault, "NotGuardianOrOwner");
        const epoch = await s.vault.planEpoch();
        await safer(by(s.guardian), s);
        expect(await s.vault.planEpoch()).to.equal(epoch + 1n);
      }
      await riskier(by(s.owner), s);
    });
  }

  it("joining a group is safer than leaving it, and carries the group's sum along", async () => {
    const s = await loadFixture(ready);
    await deposit(s, s.alice, 1_000n * s.unit);
    await time.increase(DAY);
    await rebalance(s, [[s.adapters[0]!, 100n * s.unit]]);
    await s.vault.connect(s.owner).addGroup({ name: ethers.encodeBytes32String("second"), relativeCap: WAD });
    await s.vault.connect(s.guardian).setGroupMask(s.adapters[0]!, 3n);
    expect(await s.vault.groupAllocation(1n)).to.equal(100n * s.unit);
    await expect(s.vault.connect(s.guardian).setGroupMask(s.adapters[0]!, 2n)).to.be.revertedWithCustomError(
      s.vault,
      "NotOwner",
    );
    await s.vault.connect(s.owner).setGroupMask(s.adapters[0]!, 2n);
    expect(await s.vault.groupAllocation(0n)).to.equal(0n);
    await expect(s.vault.connect(s.owner).setGroupMask(s.adapters[0]!, 4n)).to.be.revertedWithCustomError(
      s.vault,
      "UnknownGroup",
    );
    await expect(s.vault.groupAllocation(2n)).to.be.revertedWithCustomError(s.vault, "UnknownGroup");
    await expect(s.vault.connect(s.owner).setGroupCap(2n, 0n)).to.be.revertedWithCustomError(s.vault, "UnknownGroup");
  });

  it("keepers are added by the timelock and removed by the guardian at once", async () => {
    const s = await loadFixture(ready);
    const { vault, guardian, owner, keeper, stranger } = s;
    await expect(vault.connect(guardian).setKeeper(stranger.address, true)).to.be.revertedWithCustomError(
      vault,
      "NotOwner",
    );
    await expect(vault.connect(stranger).setKeeper(keeper.address, false)).to.be.revertedWithCustomError(
      vault,
      "NotGuardianOrOwner",
    );
    await vault.connect(owner).setKeeper(stranger.address, true);
    await expect(vault.connect(owner).setKeeper(stranger.address, true)).to.be.revertedWithCustomError(
      vault,
      "Unchanged",
    );
    const epoch = await vault.planEpoch();
    await vault.connect(owner).setKeeper(stranger.address, false);
    expect(await vault.planEpoch()).to.equal(epoch + 1n);
    await vault.connect(guardian).setKeeper(keeper.address, false);
    expect(await vault.planEpoch()).to.equal(epoch + 2n);
    expect(await vault.isKeeper(keeper.address)).to.equal(false);
  });

  it("only the timelock adds, removes and orders adapters", async () => {
    const s = await loadFixture(ready);
    const { vault, guardian, owner, adapters, venues, token, stranger } = s;
    const [a, b] = [await adapters[0]!.getAddress(), await adapters[1]!.getAddress()];
    for (const call of [
      () => vault.connect(guardian).addAdapter({ adapter: a, absoluteCap: 0n, relativeCap: 0n, groupMask: 0n }),
      () => vault.connect(guardian).removeAdapter(a),
      () => vault.connect(guardian).setQueue([b, a]),
      () => vault.connect(guardian).addGroup({ name: ethers.ZeroHash, relativeCap: 0n }),
      () => vault.connect(guardian).setFeeRecipient(guardian.address),
      () => vault.connect(guardian).setGuardian(guardian.address),
      () => vault.connect(guardian).transferOwnership(guardian.address),
      () => vault.connect(guardian).setCondition(guardian.address, true),
      () => vault.connect(guardian).resetBreaker(),
      () => vault.connect(guardian).liftQuarantine(a),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(vault, "NotOwner").withArgs(guardian.address);
    }
    await expect(vault.connect(owner).setQueue([a, a]))
      .to.be.revertedWithCustomError(vault, "NotPermutation")
      .withArgs(1n, 2n);
    await expect(vault.connect(owner).setQueue([a]))
      .to.be.revertedWithCustomError(vault, "NotPermutation")
      .withArgs(1n, 2n);
    await expect(vault.connect(owner).setQueue([stranger.address, a]))
      .to.be.revertedWithCustomError(vault, "NotPermutation")
      .withArgs(0n, 2n);
    await vault.connect(owner).setQueue([b, a]);
    expect(await vault.adapters()).to.deep.equal([b, a]);

    await deposit(s, s.alice, 1_000n * s.unit);
    await time.increase(DAY);
    await rebalance(s, [[adapters[1]!, 100n * s.unit]]);
    await expect(vault.connect(owner).removeAdapter(b))
      .to.be.revertedWithCustomError(vault, "AdapterNotEmpty")
      .withArgs(b, 100n * s.unit);
    await venues[1]!.setBroken(true);
    await expect(vault.connect(owner).removeAdapter(b)).to.be.revertedWithCustomError(vault, "AdapterNotEmpty");
    await vault.connect(guardian).quarantine(b);
    await vault.connect(owner).removeAdapter(b);
    expect(await vault.adapters()).to.deep.equal([a]);
    expect(await vault.groupAllocation(0n)).to.equal(0n);
    await expect(vault.connect(owner).removeAdapter(b))
      .to.be.revertedWithCustomError(vault, "UnknownAdapter")
      .withArgs(b);
    await expect(vault.adapter(b)).to.be.revertedWithCustomError(vault, "UnknownAdapter").withArgs(b);
    await vault.connect(owner).removeAdapter(a);
    expect(await vault.adapters()).to.deep.equal([]);
    void token;
  });

  it("keeps a recipient while there is a fee", async () => {
    const s = await loadFixture(ready);
    await expect(s.vault.connect(s.owner).setFeeRecipient(ethers.ZeroAddress)).to.be.revertedWithCustomError(
      s.vault,
      "ZeroAddress",
    );
    await s.vault.connect(s.guardian).setManagementFee(0n);
    await expect(s.vault.connect(s.owner).setFeeRecipient(ethers.ZeroAddress)).to.be.revertedWithCustomError(
      s.vault,
      "ZeroAddress",
    );
    await s.vault.connect(s.guardian).setPerformanceFee(0n);
    await s.vault.connect(s.owner).setFeeRecipient(ethers.ZeroAddress);
    await expect(s.vault.connect(s.owner).setManagementFee(1n))
      .to.be.revertedWithCustomError(s.vault, "ZeroAddress")
      .withArgs(ethers.encodeBytes32String("feeRecipient"));
  });
});

describe("Settings: handovers", () => {
  it("a guardian is offered by the timelock and accepted by itself", async () => {
    const s = await loadFixture(system);
    await s.vault.connect(s.owner).setGuardian(s.stranger.address);
    expect(await s.vault.guardian()).to.equal(s.guardian.address);
    await expect(s.vault.connect(s.alice).acceptGuardian())
      .to.be.revertedWithCustomError(s.vault, "NotPending")
      .withArgs(s.alice.address, s.stranger.address);
    await s.vault.connect(s.stranger).acceptGuardian();
    expect(await s.vault.guardian()).to.equal(s.stranger.address);
    expect(await s.vault.pendingGuardian()).to.equal(ethers.ZeroAddress);
    await expect(s.vault.connect(s.owner).setGuardian(ethers.ZeroAddress)).to.be.revertedWithCustomError(
      s.vault,
      "ZeroAddress",
    );
  });

  it("ownership goes to another timelock only", async () => {
    const s = await loadFixture(system);
    await s.vault.connect(s.owner).transferOwnership(s.alice.address);
    expect(await s.vault.pendingOwner()).to.equal(s.alice.address);
    await expect(s.vault.connect(s.bob).acceptOwnership()).to.be.revertedWithCustomError(s.vault, "NotPending");
    await expect(s.vault.connect(s.alice).acceptOwnership()).to.be.revertedWithCustomError(s.vault, "OwnerNotTimelock");
    const next = await (
      await ethers.getContractFactory("VaultTimelock")
    ).deploy(2n * DAY, [s.bob.address], [s.bob.address], s.guardian.address);
    const address = await next.getAddress();
    await s.vault.connect(s.owner).transferOwnership(address);
    await ethers.provider.send("hardhat_impersonateAccount", [address]);
    await ethers.provider.send("hardhat_setBalance", [address, "0x56bc75e2d63100000"]);
    await s.vault.connect(await ethers.getSigner(address)).acceptOwnership();
    expect(await s.vault.owner()).to.equal(address);
    await expect(s.vault.connect(s.owner).setMaxRate(0n)).to.be.revertedWithCustomError(s.vault, "NotOwner");
  });
});
