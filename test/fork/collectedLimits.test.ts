// Caps, flags and rewards as the collectors read them, beside what the protocols' own contracts say of the same block. What is set
// on the recorded state is set as governance or a guardian would, one thing at a time, so that no flag passes for another.
import { expect } from "chai";
import { Contract, ContractFactory, JsonRpcSigner, toBeHex, toQuantity } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import { locateAaveV3 } from "../../keeper/collect/aaveV3";
import { compoundV3Collector } from "../../keeper/collect/compoundV3";
import type { Reading } from "../../keeper/collect/reading";
import { npmArtifact } from "../../scripts/localnet/protocols/npmArtifact";
import { skip } from "../skip";
import { collectingOn } from "./collectingOn";
import { DAY, describeOnFork, skipWithoutComet } from "./forkSuite";
import { aaveConfigurationSlot, GAS } from "./lendingVault";

const AAVE_CORE = "@aave/core-v3/artifacts/contracts";
const DATA_PROVIDER = `${AAVE_CORE}/misc/AaveProtocolDataProvider.sol/AaveProtocolDataProvider.json`;
const POOL = [
  "function ADDRESSES_PROVIDER() view returns (address)",
  "function getConfiguration(address) view returns (uint256)",
];
const COMET = [
  ...["Supply", "Transfer", "Withdraw", "Absorb", "Buy"].map(
    (what) => `function is${what}Paused() view returns (bool)`,
  ),
  ...["baseTrackingSupplySpeed", "baseTrackingBorrowSpeed", "trackingIndexScale", "baseMinForRewards", "baseScale"].map(
    (name) => `function ${name}() view returns (uint256)`,
  ),
  "function totalsBasic() view returns (tuple(uint64 baseSupplyIndex, uint64 baseBorrowIndex, uint64 trackingSupplyIndex, uint64 trackingBorrowIndex, uint104 totalSupplyBase, uint104 totalBorrowBase, uint40 lastAccrualTime, uint8 pauseFlags))",
  "function pauseGuardian() view returns (address)",
  "function pause(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused)",
  "function accrueAccount(address)",
];

/** aave-v3-core, ReserveConfiguration.sol: where a reserve's configuration has what. */
const FLAG_BITS = [56, 57, 58, 59, 60, 63];
const FIELDS = { loanToValue: 0, liquidationThreshold: 16, liquidationBonus: 32, reserveFactor: 64 };
const BORROW_CAP = 80n;
const SUPPLY_CAP = 116n;
const CAP_MASK = 2n ** 36n - 1n;
/** Said, since a node that has to guess it asks for the fees of blocks that are not recorded. */
const PAID = { ...GAS, gasPrice: 10n ** 12n };

describeOnFork("limits, flags and rewards", (fork) => {
  const { newBlock, read, view } = collectingOn(fork);
  // What is called from here on is called at a block of the fork's own.
  beforeEach(() => newBlock());
  const reserve = () =>
    locateAaveV3({ subject: "aave-v3-usdc", pool: fork().places.aavePool, asset: fork().places.usdc, usd: 1 });
  const comet = () => compoundV3Collector({ subject: "compound-v3-usdc", comet: fork().places.comet, usd: 1 });

  it("reads the flags, caps and factors of mainnet's USDC reserve at block 20,000,000", async function () {
    if (fork().upstream !== "tape") skip(this, "the figures are of the recorded state: set TILLER_TAPE to it");
    const { state } = await read(await newBlock(), reserve());
    // aave-v3 governance: the reserve's configuration as of June 2024.
    expect(state).to.include({
      ...{ active: true, frozen: false, paused: false, borrowing: true, stableBorrowing: false, flashLoans: true },
      ...{
        reserveFactorBps: 1_000,
        loanToValueBps: 7_500,
        liquidationThresholdBps: 7_800,
        liquidationBonusBps: 10_450,
      },
      ...{ decimals: 6, supplyCap: "1760000000", borrowCap: "1580000000" },
    });
  });

  it("reads of any configuration of a reserve what Aave's own data provider reads of it", async () => {
    const { aavePool, usdc } = fork().places;
    const { provider } = fork();
    const pool = new Contract(aavePool, POOL, provider);
    const { abi, bytecode } = npmArtifact(DATA_PROVIDER);
    const deployer = localWallet("deployer").connect(provider);
    const own = await new ContractFactory(abi, bytecode, deployer).deploy(
      await pool.getFunction("ADDRESSES_PROVIDER")(),
      PAID,
    );
    const dataProvider = await own.getAddress();
    const genuine = (await pool.getFunction("getConfiguration")(usdc)) as bigint;
    const words = [
      genuine,
      ...FLAG_BITS.map((bit) => genuine ^ (1n << BigInt(bit))),
      ...Object.values(FIELDS).map((bit) => genuine ^ (1n << BigInt(bit))),
      ...[BORROW_CAP, SUPPLY_CAP].flatMap((bit) => {
        const without = genuine & ~(CAP_MASK << bit);
        return [without, without | (1n << bit), without | (CAP_MASK << bit)];
      }),
    ];
    const states = new Set<string>();
    for (const word of words) {
      await provider.send("hardhat_setStorageAt", [
        aavePool,
        toQuantity(BigInt(aaveConfigurationSlot(usdc))),
        toBeHex(word, 32),
      ]);
      const head = await newBlock();
      const ask = view(head, dataProvider, abi);
      const said = await ask<Record<string, bigint | boolean>>("getReserveConfigurationData", usdc);
      const caps = await ask<Record<string, bigint>>("getReserveCaps", usdc);
      const { state } = await read(head, reserve());
      const expected = {
        decimals: Number(said["decimals"]),
        loanToValueBps: Number(said["ltv"]),
        liquidationThresholdBps: Number(said["liquidationThreshold"]),
        liquidationBonusBps: Number(said["liquidationBonus"]),
        reserveFactorBps: Number(said["reserveFactor"]),
        borrowing: said["borrowingEnabled"],
        stableBorrowing: said["stableBorrowRateEnabled"],
        active: said["isActive"],
        frozen: said["isFrozen"],
        paused: await ask<boolean>("getPaused", usdc),
        flashLoans: await ask<boolean>("getFlashLoanEnabled", usdc),
        borrowCap: String(caps["borrowCap"]),
        supplyCap: String(caps["supplyCap"]),
      };
      expect(state, word.toString(16)).to.include(expected);
      states.add(JSON.stringify(expected));
    }
    // The genuine caps may be among those that were set; nothing else may look like its neighbour.
    expect(states.size).to.be.at.least(new Set(words).size - 1);
  });

  it("reads which of Compound's actions its guardian paused, each alone and all together", async function () {
    await skipWithoutComet(this, fork());
    const names = ["Supply", "Transfer", "Withdraw", "Absorb", "Buy"];
    const flagsOf = ({ state }: Reading) => names.map((name) => state[`${name.toLowerCase()}Paused`]);
    const alone = names.map((_, place) => names.map((_, other) => other === place));
    for (const paused of [...alone, names.map(() => true), names.map(() => false)]) {
      await asGuardian(paused);
      const head = await newBlock();
      const ask = view(head, fork().places.comet, COMET);
      const said = await Promise.all(names.map((name) => ask<boolean>(`is${name}Paused`)));
      expect(flagsOf(await read(head, comet()))).to.deep.equal(said);
      expect(said).to.deep.equal(paused);
    }
  });

  it("reads the speeds of Compound's rewards and what they have added to its indices", async function () {
    await skipWithoutComet(this, fork());
    await accrued();
    const before = await read(await newBlock(), comet());
    await fork().increaseTime(30 * DAY);
    await accrued();
    const head = await newBlock();
    const ask = view(head, fork().places.comet, COMET);
    const totals = await ask<Record<string, bigint>>("totalsBasic");
    const after = await read(head, comet());
    const [supplySpeed, borrowSpeed] = [await ask("baseTrackingSupplySpeed"), await ask("baseTrackingBorrowSpeed")];
    expect(after.state).to.include({
      trackingSupplySpeed: String(supplySpeed),
      trackingBorrowSpeed: String(borrowSpeed),
      trackingIndexScale: String(await ask("trackingIndexScale")),
      minimumForRewards: String(await ask("baseMinForRewards")),
      trackingSupplyIndex: String(totals["trackingSupplyIndex"]),
      trackingBorrowIndex: String(totals["trackingBorrowIndex"]),
    });
    // Comet.sol, accrueInternal: a speed is units a second over the whole of its side.
    const baseScale = await ask("baseScale");
    const grown = (side: "Supply" | "Borrow", speed: bigint): bigint => {
      const seconds = BigInt(Number(after.state["lastAccrual"]) - Number(before.state["lastAccrual"]));
      return (speed * seconds * baseScale) / BigInt(String(before.state[`total${side}Base`]));
    };
    const difference = (name: string): bigint => BigInt(String(after.state[name])) - BigInt(String(before.state[name]));
    expect(difference("trackingSupplyIndex")).to.equal(grown("Supply", supplySpeed));
    expect(difference("trackingBorrowIndex")).to.equal(grown("Borrow", borrowSpeed));
    expect(supplySpeed + borrowSpeed > 0n, "something is paid").to.equal(true);
  });

  async function asGuardian(paused: readonly boolean[]): Promise<void> {
    const { provider, places } = fork();
    const market = new Contract(places.comet, COMET, provider);
    const guardian = String(await market.getFunction("pauseGuardian")());
    // A recorded state answers for an account that was asked about before.
    await provider.getBalance(guardian);
    await provider.send("hardhat_impersonateAccount", [guardian]);
    await provider.send("hardhat_setBalance", [guardian, toQuantity(10n ** 20n)]);
    const signed = market.connect(new JsonRpcSigner(provider, guardian)) as Contract;
    await (await signed.getFunction("pause")(...paused, PAID)).wait();
  }

  async function accrued(): Promise<void> {
    const { provider, places } = fork();
    const user = localWallet("depositor").connect(provider);
    const market = new Contract(places.comet, COMET, user);
    await (await market.getFunction("accrueAccount")(user.address, PAID)).wait();
  }
});
