// The small stand-ins of the unit tests (test/contracts/hostile) held to the genuine venues: what unit tests conclude from
// their rounding and from their numbers must be so on mainnet. They keep no time, so the genuine one goes first and its
// index is handed over.
import { expect } from "chai";
import { Contract, MaxUint256, ZeroAddress, type HDNodeWallet } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import {
  AaveV3Adapter__factory,
  CompoundV3Adapter__factory,
  IERC20__factory,
  SmallAaveDebt__factory,
  SmallAavePool__factory,
  SmallAaveToken__factory,
  SmallComet__factory,
} from "../../typechain-types";
import { DAY, describeOnFork, skipWithoutComet, USDC } from "./forkSuite";
import { COMET_ABI, GAS, POOL_ABI, refusal, ROUNDING } from "./lendingVault";
import { seeded } from "./seeded";

const SEED = 20_240_601;
const STEPS = 30;
/** Far above what a walk's roundings sum up to: what one of two has, so does the other. */
const MARGIN = 1_000n;
const RAY = 10n ** 27n;

const SCALED = ["function scaledTotalSupply() view returns (uint256)"];

describeOnFork("the small stand-ins of venues", (fork) => {
  let user: HDNodeWallet;

  before(() => {
    user = localWallet("depositor").connect(fork().provider);
  });

  const usdc = () => IERC20__factory.connect(fork().places.usdc, user);
  const pool = () => new Contract(fork().places.aavePool, POOL_ABI, user);
  const read = async (contract: Contract, method: string, ...args: unknown[]): Promise<bigint> =>
    (await contract.getFunction(method)(...args)) as bigint;

  async function mined(sent: Promise<unknown>): Promise<void> {
    await ((await sent) as { wait(): Promise<unknown> }).wait();
  }

  /** The next block is `seconds` after the last, and what `what` would be in it without a transaction. */
  async function justBefore(what: () => Promise<bigint>, seconds: number): Promise<bigint> {
    const { provider } = fork();
    const at = ((await provider.getBlock("latest"))?.timestamp ?? 0) + seconds;
    const snapshot: unknown = await provider.send("evm_snapshot", []);
    await provider.send("evm_setNextBlockTimestamp", [at]);
    await provider.send("evm_mine", []);
    const value = await what();
    await provider.send("evm_revert", [snapshot]);
    await provider.send("evm_setNextBlockTimestamp", [at]);
    return value;
  }

  /** A supply or a withdrawal of part of `held` or of all of it; `seconds` after the last. */
  function step(below: (n: number) => number, held: bigint): { supply: boolean; amount: bigint; seconds: number } {
    const seconds = [1, 12, 3_600, DAY, 30 * DAY][below(5)] ?? 1;
    if (held < 2n * MARGIN || below(2) === 0) {
      const amount = [1n, 2n, 999_999n, 123_456_789n, 400_000n * USDC + 7n][below(5)] ?? 1n;
      return { supply: true, amount, seconds };
    }
    return { supply: false, amount: [1n, held / 3n, held / 2n, held - MARGIN, MaxUint256][below(5)] ?? 1n, seconds };
  }

  it(`Aave's changes a balance as Aave does within ${ROUNDING + 1n} units, in ${STEPS} random calls over months`, async () => {
    const { usdc: asset, aUsdc } = fork().places;
    const small = await new SmallAavePool__factory(user).deploy(asset);
    const smallToken = SmallAaveToken__factory.connect(await small.aToken(), user);
    const token = IERC20__factory.connect(aUsdc, user);
    await fork().fundUsdc(user.address, 100_000_000n * USDC);
    for (const spender of [await small.getAddress(), fork().places.aavePool])
      await mined(usdc().approve(spender, MaxUint256));
    // Cash for the small one's interest, which nobody pays there.
    await mined(usdc().transfer(await small.aToken(), 1_000_000n * USDC));

    const below = seeded(SEED);
    const seen = new Set<string>();
    const differences = new Set<bigint>();
    for (let i = 0; i < STEPS; i++) {
      const { supply, amount, seconds } = step(below, await token.balanceOf(user.address));
      const method = supply ? "supply" : "withdraw";
      const args = supply ? [asset, amount, user.address, 0] : [asset, amount, user.address];
      const [before, purse] = [
        await justBefore(() => token.balanceOf(user.address), seconds),
        await usdc().balanceOf(user.address),
      ];
      await mined(pool().getFunction(method)(...args, GAS));
      const changed = (await token.balanceOf(user.address)) - before;
      const paid = (await usdc().balanceOf(user.address)) - purse;

      await mined(small.setIndices(await read(pool(), "getReserveNormalizedIncome", asset), RAY, 0));
      const [smallBefore, smallPurse] = [
        await smallToken.balanceOf(user.address),
        await usdc().balanceOf(user.address),
      ];
      await mined(
        supply ? small.supply(asset, amount, user.address, 0, GAS) : small.withdraw(asset, amount, user.address, GAS),
      );
      const smallChanged = (await smallToken.balanceOf(user.address)) - smallBefore;
      const smallPaid = (await usdc().balanceOf(user.address)) - smallPurse;

      const what = `step ${i}: ${method} ${amount}`;
      const all = amount === MaxUint256;
      if (!all) {
        expect(paid, what).to.equal(supply ? -amount : amount);
        expect(smallPaid, what).to.equal(paid);
        for (const one of [changed, smallChanged]) expect(Number(one + paid), what).to.be.within(-Number(ROUNDING), 1);
        expect(Number(smallChanged - changed), what).to.be.within(-Number(ROUNDING) - 1, Number(ROUNDING) + 1);
      } else {
        expect(changed, what).to.equal(-paid);
        expect(await token.balanceOf(user.address), what).to.equal(0n);
        // The small one rounds what it burns down, and may keep a unit that Aave does not.
        expect(Number(smallChanged + smallPaid), what).to.be.within(0, 1);
      }
      seen.add(all ? "all" : method);
      if (!all) differences.add(smallChanged - changed);
    }
    expect([...seen].sort()).to.deep.equal(["all", "supply", "withdraw"]);
    // They do not round alike: a walk that never shows it compares too little.
    expect([...differences].some((difference) => difference !== 0n)).to.equal(true);
  });

  it("Aave's leaves the same room under a supply cap as the genuine reserve with its numbers", async () => {
    const { usdc: asset, aavePool } = fork().places;
    const small = await new SmallAavePool__factory(user).deploy(asset);
    const smallToken = SmallAaveToken__factory.connect(await small.aToken(), user);
    const smallDebt = SmallAaveDebt__factory.connect(await small.debt(), user);
    const factory = new AaveV3Adapter__factory(user);
    const genuineAdapter = await factory.deploy(user.address, aavePool, asset, ZeroAddress);
    const smallAdapter = await factory.deploy(user.address, await small.getAddress(), asset, ZeroAddress);
    await smallAdapter.waitForDeployment();
    // Interest that is not in the reserve's books yet, a part of which will be the treasury's.
    await fork().increaseTime(45 * DAY);

    const reserve = (await pool().getFunction("getReserveData")(asset)) as {
      configuration: bigint;
      variableBorrowIndex: bigint;
      accruedToTreasury: bigint;
      aTokenAddress: string;
      variableDebtTokenAddress: string;
    };
    const genuineRoom = await genuineAdapter.maxDeposit();
    const bits = (from: bigint, count: bigint): bigint => (reserve.configuration >> from) & ((1n << count) - 1n);
    const cap = bits(116n, 36n);
    const income = await read(pool(), "getReserveNormalizedIncome", asset);
    const growth = (await read(pool(), "getReserveNormalizedVariableDebt", asset)) - reserve.variableBorrowIndex;
    expect(Number(growth)).to.be.greaterThan(0);
    await mined(small.configure(bits(48n, 8n), true, false, false, cap, bits(64n, 16n)));
    await mined(small.setIndices(income, RAY + growth, reserve.accruedToTreasury));
    await mined(
      smallDebt.set(await read(new Contract(reserve.variableDebtTokenAddress, SCALED, user), "scaledTotalSupply")),
    );
    await mined(
      smallToken.mint(user.address, await read(new Contract(reserve.aTokenAddress, SCALED, user), "scaledTotalSupply")),
    );
    expect(await smallAdapter.maxDeposit()).to.equal(genuineRoom);
    expect(genuineRoom > 0n).to.equal(true);
    expect(cap === 0n).to.equal(genuineRoom === MaxUint256);
    // Without the treasury's part there would seem to be more room than Aave grants.
    await mined(small.setIndices(income, RAY, 0));
    if (cap !== 0n) expect((await smallAdapter.maxDeposit()) > genuineRoom).to.equal(true);
  });

  it(`Comet's stands for Comet: within ${ROUNDING} units a call, in ${STEPS} random calls over months`, async function () {
    await skipWithoutComet(this, fork());
    const { usdc: asset, comet } = fork().places;
    const small = await new SmallComet__factory(user).deploy(asset);
    const genuine = new Contract(comet, COMET_ABI, user);
    const token = IERC20__factory.connect(comet, user);
    await fork().fundUsdc(user.address, 100_000_000n * USDC);
    for (const spender of [await small.getAddress(), comet]) await mined(usdc().approve(spender, MaxUint256));

    const below = seeded(SEED);
    const short = new Set<bigint>();
    for (let i = 0; i < STEPS; i++) {
      const { supply, amount, seconds } = step(below, await token.balanceOf(user.address));
      const before = await justBefore(() => token.balanceOf(user.address), seconds);
      const purse = await usdc().balanceOf(user.address);
      await mined(genuine.getFunction(supply ? "supply" : "withdraw")(asset, amount, GAS));
      const changed = (await token.balanceOf(user.address)) - before;
      const paid = (await usdc().balanceOf(user.address)) - purse;
      const what = `step ${i}: ${supply ? "supply" : "withdraw"} ${amount}`;
      if (amount === MaxUint256) expect(changed, what).to.equal(-paid);
      else {
        // The small one keeps no index: it changes by the amount, and reads low by what a test sets.
        const smallBefore = await small.balanceOf(user.address);
        if (supply) await mined(small.supply(asset, amount, GAS));
        else if (amount <= smallBefore) await mined(small.withdrawTo(user.address, asset, amount, GAS));
        else continue;
        const smallChanged = (await small.balanceOf(user.address)) - smallBefore;
        expect(paid, what).to.equal(supply ? -amount : amount);
        expect(smallChanged, what).to.equal(-paid);
        expect(Number(smallChanged - changed), what).to.be.within(0, Number(ROUNDING));
        short.add(smallChanged - changed);
      }
    }
    // A walk without any rounding would compare too little.
    expect(Number([...short].reduce((sum, units) => sum + units, 0n))).to.be.greaterThan(0);
  });

  it("Comet's lends to who has no collateral, which the genuine one refuses and the adapter does not ask for", async function () {
    await skipWithoutComet(this, fork());
    const { usdc: asset, comet } = fork().places;
    const small = await new SmallComet__factory(user).deploy(asset);
    await fork().fundUsdc(user.address, 10_000n * USDC);
    await fork().fundUsdc(await small.getAddress(), 10_000n * USDC);
    for (const venue of [await small.getAddress(), comet]) {
      const adapter = await new CompoundV3Adapter__factory(user).deploy(user.address, venue, ZeroAddress);
      await adapter.waitForDeployment();
      await mined(usdc().transfer(await adapter.getAddress(), 1_000n * USDC));
      await mined(adapter.deposit(1_000n * USDC, "0x", GAS));
      expect(await refusal(adapter.withdraw.staticCall(1_001n * USDC, "0x", GAS))).to.equal("OverWithdrawal");
    }
    expect(await refusal(small.withdrawTo.staticCall(user.address, asset, 5_000n * USDC, GAS))).to.equal("none");
    const withdraw = new Contract(comet, COMET_ABI, user).getFunction("withdraw");
    expect(await refusal(withdraw.staticCall(asset, 5_000n * USDC, GAS))).to.equal("NotCollateralized");
  });
});
