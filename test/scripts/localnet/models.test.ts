// The model contracts by their laws. What CometModel owes to the genuine Comet is in cometDifferential.test.ts.
import { expect } from "chai";
import fc from "fast-check";
import { Contract, MaxUint256, Signature } from "ethers";
import { callNode } from "../../../scripts/localnet/jsonRpc";
import { bindContracts, type MarketContracts } from "../../../scripts/localnet/market/contracts";
import { USDC } from "../../../scripts/localnet/protocols/parameters";
import {
  CometModel__factory,
  PriceFeedModel__factory,
  SavingsModel__factory,
  UsdcModel__factory,
  UsdtModel__factory,
} from "../../../typechain-types";
import { startTemporaryChain, transact, type TemporaryChain } from "./temporaryChain";

const YEAR = 31_536_000;
const INDEX_SCALE = 10n ** 15n;
const FACTOR_SCALE = 10n ** 18n;

describe("the model contracts", function () {
  this.timeout(120_000);
  let local: TemporaryChain;
  let contracts: MarketContracts;
  let clean: unknown;
  let me: string;
  let other: string;

  const as = (role: Parameters<TemporaryChain["signer"]>[0], address: string, abi: Contract["interface"]): Contract =>
    new Contract(address, abi, local.signer(role));
  const comet = (role: Parameters<TemporaryChain["signer"]>[0]): Contract =>
    as(role, local.protocols.comet, CometModel__factory.createInterface());
  const savings = (role: Parameters<TemporaryChain["signer"]>[0]): Contract =>
    as(role, local.protocols.savings, SavingsModel__factory.createInterface());
  const usdc = (role: Parameters<TemporaryChain["signer"]>[0]): Contract =>
    as(role, local.protocols.tokens.usdc, UsdcModel__factory.createInterface());
  const usdt = (role: Parameters<TemporaryChain["signer"]>[0]): Contract =>
    as(role, local.protocols.tokens.usdt, UsdtModel__factory.createInterface());
  const errorOf = async (attempt: Promise<unknown>): Promise<string> =>
    attempt.then(
      () => "accepted",
      (problem: unknown) => String((problem as { revert?: { name?: string } }).revert?.name ?? problem),
    );

  before(async () => {
    local = await startTemporaryChain();
    contracts = bindContracts(local.provider, local.protocols);
    me = local.signer("depositor").address;
    other = local.signer("secondDepositor").address;
    for (const spender of [local.protocols.comet, local.protocols.savings]) {
      await transact(usdc("depositor"), "approve", spender, MaxUint256 / 2n);
    }
  });
  after(() => local.end());
  beforeEach(async () => {
    clean = await callNode(local.chain.url, "evm_snapshot", []);
  });
  afterEach(() => callNode(local.chain.url, "evm_revert", [clean]));

  describe("CometModel", () => {
    it("rounds every balance down, by less than two units, and keeps principal and present value consistent", async () => {
      const amounts = fc.bigInt({ min: 1n, max: 3_000_000n * USDC });
      await fc.assert(
        fc.asyncProperty(amounts, fc.integer({ min: 1, max: YEAR }), amounts, async (paid, seconds, taken) => {
          const run = await callNode(local.chain.url, "evm_snapshot", []);
          try {
            await local.pass(seconds);
            await transact(comet("depositor"), "supply", local.protocols.tokens.usdc, paid);
            const { baseSupplyIndex: index } = await contracts.comet.totalsBasic();
            expect(index > INDEX_SCALE).to.equal(true);
            const { principal } = await contracts.comet.userBasic(me);
            const balance = await contracts.comet.balanceOf(me);
            expect(principal).to.equal((paid * INDEX_SCALE) / index);
            expect(balance).to.equal((principal * index) / INDEX_SCALE);
            expect(balance <= paid && paid - balance < 2n, `${paid} became ${balance}`).to.equal(true);

            await local.pass(seconds);
            const grown = await contracts.comet.balanceOf(me);
            const part = taken < grown ? taken : grown;
            const held = (await contracts.usdc.getFunction("balanceOf")(me)) as bigint;
            await transact(comet("depositor"), "withdraw", local.protocols.tokens.usdc, part);
            expect(((await contracts.usdc.getFunction("balanceOf")(me)) as bigint) - held).to.equal(part);
            const later = await contracts.comet.totalsBasic();
            const left = await contracts.comet.userBasic(me);
            expect(left.principal >= 0n).to.equal(true);
            // What is taken from the principal is at least worth what was paid out.
            expect((principal - left.principal) * later.baseSupplyIndex >= part * INDEX_SCALE).to.equal(true);
          } finally {
            await callNode(local.chain.url, "evm_revert", [run]);
          }
        }),
        { numRuns: 15, seed: 7, endOnFailure: true },
      );
    });

    it("accrues at the rate of the utilisation it had, linearly since the last accrual", async () => {
      await transact(comet("depositor"), "accrueAccount", me);
      const before = await contracts.comet.totalsBasic();
      const utilization = await contracts.comet.getUtilization();
      expect(utilization).to.equal(
        (((before.totalBorrowBase * before.baseBorrowIndex) / INDEX_SCALE) * FACTOR_SCALE) /
          ((before.totalSupplyBase * before.baseSupplyIndex) / INDEX_SCALE),
      );
      const rate = await contracts.comet.getSupplyRate(utilization);
      await local.pass(1_000_000);
      await transact(comet("depositor"), "accrueAccount", me);
      const after = await contracts.comet.totalsBasic();
      const elapsed = after.lastAccrualTime - before.lastAccrualTime;
      expect(after.baseSupplyIndex - before.baseSupplyIndex).to.equal(
        (before.baseSupplyIndex * rate * elapsed) / FACTOR_SCALE,
      );
    });

    it("has a steep curve above its kink on both sides", async () => {
      const rate = async (method: "getSupplyRate" | "getBorrowRate", percent: bigint): Promise<number> =>
        (Number(await contracts.comet[method](percent * 10n ** 16n)) * YEAR) / 1e18;
      expect(await rate("getSupplyRate", 90n)).to.be.closeTo(0.0324, 1e-6);
      expect(await rate("getSupplyRate", 95n)).to.be.closeTo(0.0324 + 0.05 * 3.196, 1e-6);
      expect(await rate("getBorrowRate", 0n)).to.be.closeTo(0.015, 1e-6);
      expect(await rate("getBorrowRate", 95n)).to.be.closeTo(0.015 + 0.9 * 0.0278 + 0.05 * 3.6, 1e-6);
    });

    it("lends only against collateral, and not below its minimum", async () => {
      const borrow = (role: "depositor" | "borrower", amount: bigint): Promise<unknown> =>
        comet(role).getFunction("withdraw").staticCall(local.protocols.tokens.usdc, amount);
      expect(await errorOf(borrow("depositor", 1_000n * USDC))).to.equal("NotCollateralized");
      expect(await errorOf(borrow("depositor", 99n * USDC))).to.equal("BorrowTooSmall");
      expect(await errorOf(borrow("borrower", 1_000n * USDC))).to.equal("accepted");
      await transact(
        contracts.feeds.eth.connect(local.signer("market")) as unknown as Contract,
        "push",
        1_500_00000000n,
      );
      expect(await errorOf(borrow("borrower", 1_000n * USDC))).to.equal("NotCollateralized");
      expect(await contracts.comet.isLiquidatable(local.signer("borrower").address)).to.equal(true);
    });

    it("stops what is paused and nothing else, at the guardian's word only", async () => {
      const { usdc: token } = local.protocols.tokens;
      await transact(comet("depositor"), "supply", token, 1_000n * USDC);
      const pause = [true, true, false, false, false];
      expect(
        await errorOf(
          comet("depositor")
            .getFunction("pause")
            .staticCall(...pause),
        ),
      ).to.equal("Unauthorized");
      await transact(comet("market"), "pause", ...pause);
      expect(await contracts.comet.isSupplyPaused()).to.equal(true);
      expect(await contracts.comet.isWithdrawPaused()).to.equal(false);
      expect(await errorOf(comet("depositor").getFunction("supply").staticCall(token, 1n))).to.equal("Paused");
      expect(await errorOf(comet("depositor").getFunction("transfer").staticCall(other, 1n))).to.equal("Paused");
      expect(await errorOf(comet("depositor").getFunction("withdraw").staticCall(token, 1n))).to.equal("accepted");
    });
  });

  describe("SavingsModel", () => {
    it("grows by 4.5 % in a year and pays it out", async () => {
      await transact(savings("depositor"), "deposit", 1_000_000n * USDC, me);
      await local.pass(YEAR);
      const worth = Number(await contracts.savings.maxWithdraw(me)) / 1e6;
      expect(worth / 1_000_000).to.be.closeTo(1.045, 1e-7);
      const held = (await contracts.usdc.getFunction("balanceOf")(me)) as bigint;
      await transact(savings("depositor"), "redeem", await contracts.savings.balanceOf(me), me, me);
      const paid = Number(((await contracts.usdc.getFunction("balanceOf")(me)) as bigint) - held) / 1e6;
      expect(paid).to.be.closeTo(worth, 0.02);
    });

    it("never counts interest that is not there", async () => {
      const reserve = await contracts.savings.reserve();
      const before = await contracts.savings.totalAssets();
      await local.pass(40 * YEAR);
      const held = (await contracts.usdc.getFunction("balanceOf")(local.protocols.savings)) as bigint;
      expect(await contracts.savings.totalAssets()).to.equal(held);
      expect(held).to.equal(before + reserve);
      expect(await contracts.savings.reserve()).to.equal(0n);
      await transact(
        savings("market"),
        "redeem",
        await contracts.savings.balanceOf(local.signer("market").address),
        ...[local.signer("market").address, local.signer("market").address],
      );
    });

    it("lets a donation pay later interest, not lift the share price", async () => {
      const priceOf = (): Promise<bigint> => contracts.savings.convertToAssets(10n ** 18n);
      const before = await priceOf();
      const reserve = await contracts.savings.reserve();
      await transact(usdc("depositor"), "transfer", local.protocols.savings, 5_000_000n * USDC);
      expect(Number((await contracts.savings.reserve()) - reserve) / 1e6).to.be.closeTo(5_000_000, 1);
      expect(Number((await priceOf()) - before)).to.be.within(0, 10);
    });

    it("gives the same total however often it is touched, but for rounding", async () => {
      const start = await callNode(local.chain.url, "evm_snapshot", []);
      const opened = Number((await local.provider.getBlock("latest"))?.timestamp);
      const untouched = async (): Promise<bigint> => {
        await local.pass(opened + 90 * 86_400 - Number((await local.provider.getBlock("latest"))?.timestamp));
        return contracts.savings.totalAssets();
      };
      const once = await untouched();
      await callNode(local.chain.url, "evm_revert", [start]);
      for (let day = 0; day < 10; day += 1) {
        await local.pass(86_400);
        await transact(savings("market"), "withdraw", 0n, me, local.signer("market").address);
      }
      const often = await untouched();
      expect(Number(once - often)).to.be.within(0, 12);
    });
  });

  describe("UsdcModel", () => {
    const DAY_LATER = 10n ** 11n;
    const permit = async (value: bigint, deadline = DAY_LATER): Promise<readonly unknown[]> => {
      const domain = { name: "USD Coin", version: "2", chainId: 31337, verifyingContract: local.protocols.tokens.usdc };
      const fields = ["owner:address", "spender:address", "value:uint256", "nonce:uint256", "deadline:uint256"];
      const types = {
        Permit: fields.map((field) => ({ name: field.split(":")[0] ?? "", type: field.split(":")[1] ?? "" })),
      };
      const message = { owner: me, spender: other, value, nonce: 0, deadline };
      const { v, r, s } = Signature.from(await local.signer("depositor").signTypedData(domain, types, message));
      return [me, other, value, deadline, v, r, s];
    };

    it("takes a permit signed for mainnet's name and version, once", async () => {
      const signed = await permit(7n);
      await transact(usdc("keeper"), "permit", ...signed);
      expect(await usdc("keeper").getFunction("allowance")(me, other)).to.equal(7n);
      expect(
        await errorOf(
          usdc("keeper")
            .getFunction("permit")
            .staticCall(...signed),
        ),
      ).to.equal("InvalidSigner");
    });

    it("refuses a permit that is late or altered", async () => {
      const late = await permit(7n, 1n);
      expect(
        await errorOf(
          usdc("keeper")
            .getFunction("permit")
            .staticCall(...late),
        ),
      ).to.equal("PermitExpired");
      const altered = [...(await permit(7n))];
      altered[2] = 8n;
      expect(
        await errorOf(
          usdc("keeper")
            .getFunction("permit")
            .staticCall(...altered),
        ),
      ).to.equal("InvalidSigner");
    });

    it("stops a blacklisted holder's money and approvals", async () => {
      await transact(usdc("market"), "setBlacklisted", me, true);
      expect(await errorOf(usdc("depositor").getFunction("transfer").staticCall(other, 1n))).to.equal("Blacklisted");
      expect(await errorOf(usdc("depositor").getFunction("approve").staticCall(other, 1n))).to.equal("Blacklisted");
      expect(await errorOf(usdc("secondDepositor").getFunction("transfer").staticCall(me, 1n))).to.equal("Blacklisted");
    });

    it("mints for its minters only and has six decimals", async () => {
      expect(await errorOf(usdc("depositor").getFunction("mint").staticCall(me, 1n))).to.equal("NotMinter");
      expect(await usdc("depositor").getFunction("decimals")()).to.equal(6n);
      expect(await usdc("depositor").getFunction("version")()).to.equal("2");
    });

    it("uses up even an unlimited allowance", async () => {
      await transact(usdc("depositor"), "approve", other, MaxUint256);
      await transact(usdc("secondDepositor"), "transferFrom", me, other, 3n);
      expect(await usdc("depositor").getFunction("allowance")(me, other)).to.equal(MaxUint256 - 3n);
    });
  });

  describe("UsdtModel", () => {
    it("returns nothing and will not change an allowance that is not zero", async () => {
      const call = usdt("depositor").interface.encodeFunctionData("transfer", [other, 1n]);
      const answer = await local.provider.call({ from: me, to: local.protocols.tokens.usdt, data: call });
      expect(answer).to.equal("0x");
      await transact(usdt("depositor"), "approve", other, 5n);
      expect(await errorOf(usdt("depositor").getFunction("approve").staticCall(other, 6n))).to.equal(
        "AllowanceNotCleared",
      );
      await transact(usdt("depositor"), "approve", other, 0n);
      expect(await errorOf(usdt("depositor").getFunction("approve").staticCall(other, 6n))).to.equal("accepted");
    });
  });

  describe("PriceFeedModel", () => {
    it("answers in Chainlink's shape, as of the block it was told in", async () => {
      const feed = as("market", local.protocols.feeds.eth, PriceFeedModel__factory.createInterface());
      await transact(feed, "push", 2_900_00000000n);
      const now = BigInt((await local.provider.getBlock("latest"))?.timestamp ?? 0);
      const [round, answer, , updatedAt, answeredIn] = (await feed.getFunction("latestRoundData")()) as bigint[];
      expect([round, answer, updatedAt, answeredIn]).to.deep.equal([2n, 2_900_00000000n, now, 2n]);
      expect(await feed.getFunction("latestAnswer")()).to.equal(2_900_00000000n);
      expect(await feed.getFunction("decimals")()).to.equal(8n);
      await transact(feed, "pushAt", 2_900_00000000n, now - 90_000n);
      expect(await feed.getFunction("latestTimestamp")()).to.equal(now - 90_000n);
      const stranger = feed.connect(local.signer("keeper")) as Contract;
      expect(await errorOf(stranger.getFunction("push").staticCall(1n))).to.equal("NotReporter");
      expect(await errorOf(feed.getFunction("getRoundData").staticCall(99))).to.equal("NoDataPresent");
    });
  });
});
