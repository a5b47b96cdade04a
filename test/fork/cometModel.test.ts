// CometModel against the genuine Comet, on mainnet's state: both start from the same totals, get the same calls in the
// same blocks, and must agree on every balance, total, rate, event and error to the wei. Supply side only: collateral
// and debts are not recorded.
import { expect } from "chai";
import { Contract, Interface, MaxUint256, toBeHex, type HDNodeWallet, type TransactionReceipt } from "ethers";
import type { Fork } from "../../scripts/fork/startFork";
import { localWallet } from "../../deploy/networks/localWallet";
import { CometModel__factory, PriceFeedModel__factory, UsdtModel__factory } from "../../typechain-types";
import { skip } from "../skip";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";
import { seeded } from "./seeded";

const COMET = new Interface([
  "function supply(address asset, uint256 amount)",
  "function supplyTo(address dst, address asset, uint256 amount)",
  "function supplyFrom(address from, address dst, address asset, uint256 amount)",
  "function withdraw(address asset, uint256 amount)",
  "function withdrawTo(address to, address asset, uint256 amount)",
  "function withdrawFrom(address src, address to, address asset, uint256 amount)",
  "function transfer(address dst, uint256 amount) returns (bool)",
  "function transferFrom(address src, address dst, uint256 amount) returns (bool)",
  "function transferAsset(address dst, address asset, uint256 amount)",
  "function approve(address spender, uint256 amount) returns (bool)",
  "function allow(address manager, bool isAllowed)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "function hasPermission(address owner, address manager) view returns (bool)",
  "function accrueAccount(address account)",
  "function balanceOf(address) view returns (uint256)",
  "function borrowBalanceOf(address) view returns (uint256)",
  "function totalSupply() view returns (uint256)",
  "function totalBorrow() view returns (uint256)",
  "function getReserves() view returns (int256)",
  "function getUtilization() view returns (uint256)",
  "function getSupplyRate(uint256) view returns (uint64)",
  "function getBorrowRate(uint256) view returns (uint64)",
  "function isBorrowCollateralized(address) view returns (bool)",
  "function isSupplyPaused() view returns (bool)",
  "function isWithdrawPaused() view returns (bool)",
  "function isTransferPaused() view returns (bool)",
  "function userBasic(address) view returns (int104 principal, uint64, uint64, uint16, uint8)",
  "function baseToken() view returns (address)",
  "function baseTokenPriceFeed() view returns (address)",
  "function decimals() view returns (uint8)",
  "function baseScale() view returns (uint256)",
  "function baseTrackingSupplySpeed() view returns (uint256)",
  "function baseTrackingBorrowSpeed() view returns (uint256)",
  "function baseMinForRewards() view returns (uint256)",
  "function baseBorrowMin() view returns (uint256)",
  "function targetReserves() view returns (uint256)",
  "function supplyKink() view returns (uint256)",
  "function supplyPerSecondInterestRateSlopeLow() view returns (uint256)",
  "function supplyPerSecondInterestRateSlopeHigh() view returns (uint256)",
  "function supplyPerSecondInterestRateBase() view returns (uint256)",
  "function borrowKink() view returns (uint256)",
  "function borrowPerSecondInterestRateSlopeLow() view returns (uint256)",
  "function borrowPerSecondInterestRateSlopeHigh() view returns (uint256)",
  "function borrowPerSecondInterestRateBase() view returns (uint256)",
]);
const ERC20 = ["function approve(address, uint256)", "function balanceOf(address) view returns (uint256)"];

const SECONDS_PER_YEAR = 31_536_000n;
const WAD = 10n ** 18n;
/** Small suppliers beside mainnet's, and whales that move its utilisation across the kink and back. */
const WALKS = [
  { who: "two suppliers", seed: 20_000_000, steps: 100, whale: false },
  { who: "two whales", seed: 20_000_001, steps: 50, whale: true },
  { who: "two other whales", seed: 20_000_002, steps: 50, whale: true },
] as const;
const GAS_LIMIT = 1_000_000;

/** What a walk must have seen. */
const COVERED = [
  ...["supply", "supplyTo", "supplyFrom", "withdraw", "withdrawTo", "withdrawFrom"],
  ...["transfer", "transferFrom", "transferAsset", "approve", "allow", "accrueAccount"],
]
  .map((method) => `${method} succeeds`)
  .concat(["withdraw fails", "transfer fails", "withdrawFrom fails"]);

type Call = readonly [method: string, ...args: unknown[]];

describeOnFork("Comet's model against the genuine Comet", (fork) => {
  let users: readonly HDNodeWallet[];
  let genuine: string;
  let model: string;

  before(async function () {
    if (fork().upstream === "localnet") {
      skip(this, "the genuine Comet is on mainnet's state only: set TILLER_TAPE or MAINNET_RPC_URL");
    }
    await skipWithoutComet(this, fork());
  });

  beforeEach(async () => {
    users = [localWallet("depositor"), localWallet("secondDepositor")].map((user) => user.connect(fork().provider));
    genuine = fork().places.comet;
    model = await deployModel(fork(), genuine);
    for (const user of users) {
      await fork().fundUsdc(user.address, 20_000_000n * USDC);
      const usdc = new Contract(fork().places.usdc, ERC20, user);
      for (const comet of [genuine, model]) {
        const sent = (await usdc.getFunction("approve")(comet, MaxUint256)) as { wait(): Promise<unknown> };
        await sent.wait();
      }
    }
    await fork().provider.send("evm_setAutomine", [false]);
  });
  afterEach(async () => void (await fork().provider.send("evm_setAutomine", [true])));

  /** One call to each of them in one block, `seconds` after the last. */
  async function both(user: HDNodeWallet, [method, ...args]: Call, seconds = 12): Promise<TransactionReceipt[]> {
    const { provider } = fork();
    const data = COMET.encodeFunctionData(method, args);
    const nonce = await provider.getTransactionCount(user.address);
    const sent = [];
    for (const [i, to] of [genuine, model].entries()) {
      sent.push(await user.sendTransaction({ to, data, nonce: nonce + i, gasLimit: GAS_LIMIT }));
    }
    await fork().increaseTime(seconds);
    const receipts = await Promise.all(sent.map(({ hash }) => provider.getTransactionReceipt(hash)));
    return receipts.map((receipt) => {
      if (receipt === null) throw new Error(`${method} was not mined`);
      return receipt;
    });
  }

  /** What a supplier can see of one of them. */
  async function seen(comet: string): Promise<Record<string, string>> {
    const { provider } = fork();
    const contract = new Contract(comet, COMET, provider);
    const usdc = new Contract(fork().places.usdc, ERC20, provider);
    const read = async (method: string, ...args: unknown[]): Promise<string> =>
      String(await contract.getFunction(method)(...args));
    const reads: [name: string, value: Promise<string>][] = [
      ["utilization", read("getUtilization")],
      ["totalSupply", read("totalSupply")],
      ["totalBorrow", read("totalBorrow")],
      ["reserves", read("getReserves")],
      ["supply rate", read("getUtilization").then((utilization) => read("getSupplyRate", utilization))],
      ["borrow rate", read("getUtilization").then((utilization) => read("getBorrowRate", utilization))],
      // Of interest and of rewards, for suppliers and borrowers.
      ["indices", provider.getStorage(comet, 0)],
      ["totals", provider.getStorage(comet, 1)],
      ["cash", (usdc.getFunction("balanceOf")(comet) as Promise<bigint>).then(String)],
    ];
    for (const [i, { address }] of users.entries()) {
      reads.push([`balance ${i}`, read("balanceOf", address)]);
      reads.push([`principal and rewards ${i}`, read("userBasic", address)]);
      reads.push([`may ${i}`, read("allowance", address, users[1 - i]?.address)]);
    }
    return Object.fromEntries(await Promise.all(reads.map(async ([name, value]) => [name, await value] as const)));
  }

  /** The result of a call, or the data it reverted with. */
  async function outcome(comet: string, user: HDNodeWallet, [method, ...args]: Call): Promise<string> {
    const data = COMET.encodeFunctionData(method, args);
    try {
      return await fork().provider.call({ to: comet, from: user.address, data });
    } catch (error) {
      return `reverts ${String((error as { data?: unknown }).data)}`;
    }
  }

  const logsOf = (receipt: TransactionReceipt, comet: string): unknown[] =>
    receipt.logs.filter(({ address }) => address === comet).map(({ topics, data }) => ({ topics, data }));

  for (const { who, seed, steps, whale } of WALKS) {
    it(`agrees on ${steps} random calls of ${who} over years`, async () => {
      if (whale) for (const user of users) await fork().fundUsdc(user.address, 2_000_000_000n * USDC);
      const below = seeded(seed);
      const done = new Map<string, number>();
      const kinked = new Set<boolean>();
      const kink = (await new Contract(genuine, COMET, fork().provider).getFunction("supplyKink")()) as bigint;
      expect(await seen(model)).to.deep.equal(await seen(genuine));
      for (let step = 0; step < steps; step++) {
        const turn = below(2);
        const [user, other] = [users[turn], users[1 - turn]];
        if (!user || !other) throw new Error("two users");
        const held = (await new Contract(genuine, COMET, fork().provider).getFunction("balanceOf")(
          user.address,
        )) as bigint;
        const situation = { usdc: fork().places.usdc, user: user.address, other: other.address, held, whale };
        const call = nextCall(below, situation);
        const seconds = [1, 12, 3600, DAY, 30 * DAY][below(5)] ?? 1;
        const what = `step ${step}: ${call.join(" ")}`;
        expect(await outcome(model, user, call), what).to.equal(await outcome(genuine, user, call));
        const [a, b] = await both(user, call, seconds);
        if (!a || !b) throw new Error("two receipts");
        expect(b.status, what).to.equal(a.status);
        expect(logsOf(b, model), what).to.deep.equal(logsOf(a, genuine));
        const now = await seen(genuine);
        expect(await seen(model), what).to.deep.equal(now);
        kinked.add(BigInt(now["utilization"] ?? 0) > kink);
        if (call[0] === "supply" && a.status === 1 && call[2] !== 0n && call[2] !== MaxUint256)
          expect(logsOf(a, genuine), what).to.not.be.empty;
        const name = `${call[0]} ${a.status === 1 ? "succeeds" : "fails"}`;
        done.set(name, (done.get(name) ?? 0) + 1);
      }
      // A walk that only ever fails, or never does, would prove little; as would whales on one side of the kink.
      const missing = whale ? [] : COVERED.filter((name) => !done.has(name));
      expect(missing, `seen: ${[...done].join("; ")}`).to.deep.equal([]);
      if (whale) expect([...kinked].sort()).to.deep.equal([false, true]);
    });
  }

  it("agrees on the rate at every utilisation, on both sides of the kink", async () => {
    for (let percent = 0n; percent <= 120n; percent += 1n) {
      const utilization = (percent * WAD) / 100n + percent;
      for (const rate of ["getSupplyRate", "getBorrowRate"]) {
        const [user] = users;
        if (!user) throw new Error("a user");
        const call: Call = [rate, utilization];
        expect(await outcome(model, user, call), `${rate} at ${percent} %`).to.equal(
          await outcome(genuine, user, call),
        );
      }
    }
  });

  it("agrees on what it refuses", async () => {
    const [user, other] = users;
    if (!user || !other) throw new Error("two users");
    const { usdc } = fork().places;
    await both(user, ["supply", usdc, 1_000n * USDC]);
    const calls: Call[] = [
      ["withdraw", usdc, 1_001n * USDC],
      ["withdraw", usdc, 10_000n * USDC],
      ["transfer", other.address, 1_001n * USDC],
      ["transfer", other.address, 10_000n * USDC],
      ["transfer", user.address, 1n],
      ["transferFrom", other.address, user.address, 1n],
      ["withdrawFrom", other.address, user.address, usdc, 1n],
      ["supplyFrom", other.address, user.address, usdc, 1n],
      ["approve", other.address, 5n],
      ["supply", usdc, 30_000_000n * USDC],
    ];
    for (const call of calls) {
      const refused = await outcome(genuine, user, call);
      expect(refused, call.join(" ")).to.match(/^reverts 0x[0-9a-f]+/);
      expect(await outcome(model, user, call), call.join(" ")).to.equal(refused);
    }
  });
});

interface Situation {
  readonly usdc: string;
  readonly user: string;
  readonly other: string;
  /** The user's balance in Comet before the call. */
  readonly held: bigint;
  /** Whether some payments are of the market's own size. */
  readonly whale: boolean;
}

function nextCall(below: (n: number) => number, { usdc, user, other, held, whale }: Situation): Call {
  const most = (whale ? 250_000_000n : 1_500_000n) * USDC;
  const paid = [1n, 2n, 999_999n, 123_456_789n, 50_000n * USDC + 7n, most][below(6)] ?? 0n;
  // Parts of what is there, all of it, and more than it.
  const taken = [1n, held / 3n, held / 2n, held > 0n ? held - 1n : 0n, MaxUint256, held + 5n * USDC][below(6)] ?? 0n;
  const calls: readonly Call[] = [
    ["supply", usdc, paid],
    ["supply", usdc, paid],
    ["supplyTo", other, usdc, paid],
    ["supplyFrom", other, user, usdc, paid],
    ["withdraw", usdc, taken],
    ["withdrawTo", other, usdc, taken],
    ["withdrawFrom", other, user, usdc, paid],
    ["transfer", other, taken],
    ["transferFrom", other, user, paid],
    ["transferAsset", other, usdc, taken],
    ["approve", other, below(4) === 0 ? 0n : MaxUint256],
    ["allow", other, below(4) !== 0],
    ["accrueAccount", user],
    ["supply", usdc, [0n, MaxUint256][below(2)]],
  ];
  return calls[below(calls.length)] ?? ["accrueAccount", user];
}

/** A model with the genuine one's parameters, totals and cash. */
async function deployModel(fork: Fork, genuine: string): Promise<string> {
  const deployer = localWallet("deployer").connect(fork.provider);
  const comet = new Contract(genuine, COMET, fork.provider);
  const read = async (method: string): Promise<bigint> => (await comet.getFunction(method)()) as bigint;
  const aYear = async (method: string): Promise<bigint> => (await read(method)) * SECONDS_PER_YEAR;
  // Collateral plays no part here, but the model wants one.
  const collateral = await new UsdtModel__factory(deployer).deploy(deployer.address);
  await collateral.waitForDeployment();
  const feed = await new PriceFeedModel__factory(deployer).deploy(deployer.address, 8, "collateral", 1n);
  await feed.waitForDeployment();
  const deployed = await new CometModel__factory(deployer).deploy({
    governor: deployer.address,
    pauseGuardian: deployer.address,
    baseToken: fork.places.usdc,
    baseTokenPriceFeed: String(await comet.getFunction("baseTokenPriceFeed")()),
    supplyKink: await read("supplyKink"),
    supplyPerYearInterestRateSlopeLow: await aYear("supplyPerSecondInterestRateSlopeLow"),
    supplyPerYearInterestRateSlopeHigh: await aYear("supplyPerSecondInterestRateSlopeHigh"),
    supplyPerYearInterestRateBase: await aYear("supplyPerSecondInterestRateBase"),
    borrowKink: await read("borrowKink"),
    borrowPerYearInterestRateSlopeLow: await aYear("borrowPerSecondInterestRateSlopeLow"),
    borrowPerYearInterestRateSlopeHigh: await aYear("borrowPerSecondInterestRateSlopeHigh"),
    borrowPerYearInterestRateBase: await aYear("borrowPerSecondInterestRateBase"),
    baseTrackingSupplySpeed: await read("baseTrackingSupplySpeed"),
    baseTrackingBorrowSpeed: await read("baseTrackingBorrowSpeed"),
    baseMinForRewards: await read("baseMinForRewards"),
    baseBorrowMin: await read("baseBorrowMin"),
    targetReserves: await read("targetReserves"),
    collateral: await collateral.getAddress(),
    collateralPriceFeed: await feed.getAddress(),
    borrowCollateralFactor: (WAD * 80n) / 100n,
    liquidateCollateralFactor: (WAD * 85n) / 100n,
    liquidationFactor: (WAD * 95n) / 100n,
    collateralSupplyCap: WAD,
  });
  await deployed.waitForDeployment();
  const model = await deployed.getAddress();
  // The model's first slots are the genuine one's: indices, then totals with the time of the last accrual and pauses.
  for (const slot of [0, 1]) {
    const value = await fork.provider.getStorage(genuine, slot);
    await fork.provider.send("hardhat_setStorageAt", [model, toBeHex(slot), value]);
  }
  const usdc = new Contract(fork.places.usdc, ERC20, fork.provider);
  await fork.fundUsdc(model, (await usdc.getFunction("balanceOf")(genuine)) as bigint);
  return model;
}
