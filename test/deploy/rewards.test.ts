// What the venues of a deployed vault pay in other tokens, all the way: earned, claimed, released, sold, idle. Every call is by
// an account without a role, on the local chain with the vault as `npm start` deploys it.
import { expect } from "chai";
import { MaxUint256, type Signer } from "ethers";
import { deployVault } from "../../deploy/deployVault";
import type { LocalRole } from "../../deploy/networks/localAccounts";
import { localWallet } from "../../deploy/networks/localWallet";
import type { AddressFile } from "../../keeper/config/addressFile";
import { FIRST_PRICES } from "../../scripts/localnet/protocols/parameters";
import {
  AaveV3Adapter__factory,
  CometRewardsModel__factory,
  CompoundV3Adapter__factory,
  IERC20__factory,
  PriceFeedModel__factory,
  RewardAuction__factory,
  Vault__factory,
} from "../../typechain-types";
import { TestChain } from "./localChain";

const USDC = 10n ** 6n;
const DAY = 86_400;
const GAS = { gasLimit: 5_000_000n };
const TOKENS = ["comp", "aave"] as const;

describe("the rewards of a deployed vault", function () {
  this.timeout(60_000);
  let chain: TestChain;
  let made: AddressFile;

  before(async () => {
    chain = await TestChain.start();
    made = await deployVault(chain.deployment(await chain.reset()));
  });
  after(() => chain.stop());

  const as = (role: LocalRole): Signer => localWallet(role).connect(chain.provider);
  const adapterOf = (kind: string): string => made.adapters.find((entry) => entry.kind === kind)?.adapter ?? "";
  const vaultAs = (role: LocalRole) => Vault__factory.connect(made.vault, as(role));
  const auctionAs = (role: LocalRole) => RewardAuction__factory.connect(made.auction?.auction ?? "", as(role));
  const held = (token: string, holder: string): Promise<bigint> =>
    IERC20__factory.connect(token, chain.provider).balanceOf(holder);

  async function pass(seconds: number): Promise<void> {
    await chain.provider.send("evm_increaseTime", [seconds]);
    await chain.provider.send("evm_mine", []);
    for (const [feed, address] of Object.entries(chain.protocols.feeds)) {
      const contract = PriceFeedModel__factory.connect(address, as("market"));
      await (await contract.push(FIRST_PRICES[feed as keyof typeof FIRST_PRICES])).wait();
    }
  }

  /** Of the vault, and of a holder's shares, accrued at that second. */
  async function standing(timestamp: number, holder: string) {
    await pass(DAY);
    await chain.provider.send("evm_setNextBlockTimestamp", [timestamp]);
    const vault = vaultAs("trader");
    await (await vault.accrue(GAS)).wait();
    const shares = await vault.balanceOf(holder);
    return {
      total: await vault.totalAssets(),
      supply: await vault.totalSupply(),
      shares,
      worth: await vault.previewRedeem(shares),
    };
  }

  it("become idle assets by calls that anybody may make, and nobody with a role is a unit richer", async () => {
    const { tokens, rewards } = chain.protocols;
    const depositor = localWallet("depositor").address;
    await (await IERC20__factory.connect(tokens.usdc, as("depositor")).approve(made.vault, MaxUint256)).wait();
    await (await vaultAs("depositor")["deposit(uint256,address)"](5_000_000n * USDC, depositor, GAS)).wait();
    // Limits are shares of what there was at an earlier accrual.
    await pass(12);
    await (await vaultAs("depositor").accrue(GAS)).wait();
    const moves = [
      { adapter: adapterOf("aave-v3"), assets: 2_000_000n * USDC, data: "0x" },
      { adapter: adapterOf("compound-v3"), assets: 1_500_000n * USDC, data: "0x" },
    ];
    const keeper = localWallet("keeper").address;
    const guard = {
      nonce: await vaultAs("keeper").nextNonce(keeper),
      deadline: MaxUint256,
      maxLoss: MaxUint256,
      decision: `0x${"0".repeat(64)}`,
    };
    await (await vaultAs("keeper").rebalance(moves, guard, GAS)).wait();
    await pass(30 * DAY);

    // Who earned them does nothing; a stranger has them paid out and sent on.
    const [comet, aave] = [adapterOf("compound-v3"), adapterOf("aave-v3")];
    const stranger = as("liquidityProvider");
    const payer = CometRewardsModel__factory.connect(rewards.comet, stranger);
    await (await payer.claim(chain.protocols.comet, comet, true)).wait();
    await (await CompoundV3Adapter__factory.connect(comet, stranger).releaseRewards(tokens.comp)).wait();
    await (await AaveV3Adapter__factory.connect(aave, stranger).claimRewards(tokens.aave)).wait();
    await (await AaveV3Adapter__factory.connect(aave, stranger).releaseRewards(tokens.aave)).wait();
    const auction = made.auction?.auction ?? "";
    // A fourteenth of 5 COMP a day, and a thirty-first of 4 AAVE: thirty days of it.
    expect(Number(await held(tokens.comp, auction)) / 1e18).to.be.closeTo((30 * 5 * 1.5) / 21.5, 0.2);
    expect(Number(await held(tokens.aave, auction)) / 1e18).to.be.closeTo((30 * 4 * 2) / 62, 0.1);

    const offices = [made.guardian, made.timelock, ...made.keepers, localWallet("owner").address];
    const riches = (): Promise<readonly bigint[]> =>
      Promise.all(offices.flatMap((who) => [...TOKENS, "usdc" as const].map((token) => held(tokens[token], who))));
    const before = await riches();
    for (const token of TOKENS) await (await auctionAs("liquidityProvider").start(tokens[token], GAS)).wait();
    // The price falls from five percent over the feed's to five under; the floor is reached after six hours.
    await pass(6 * 3_600);
    const buyer = localWallet("trader").address;
    await (await IERC20__factory.connect(tokens.usdc, as("trader")).approve(auction, MaxUint256)).wait();
    const [idle, purse] = [await vaultAs("trader").idle(), await held(tokens.usdc, buyer)];
    // What a day and an hour bring if nobody buys.
    const then = (await chain.provider.getBlock("latest"))!.timestamp + DAY + 3_600;
    const undo = (await chain.provider.send("evm_snapshot", [])) as string;
    const unsold = await standing(then, depositor);
    await chain.provider.send("evm_revert", [undo]);
    let worth = 0;
    for (const token of TOKENS) {
      const amount = await held(tokens[token], auction);
      worth += (Number(amount) / 1e18) * (Number(FIRST_PRICES[token]) / 1e8);
      await (await auctionAs("trader").buy(tokens[token], MaxUint256, MaxUint256, buyer, GAS)).wait();
      expect(await held(tokens[token], buyer)).to.equal(amount);
    }
    const paid = purse - (await held(tokens.usdc, buyer));
    expect((await vaultAs("trader").idle()) - idle).to.equal(paid);
    expect(Number(paid) / 1e6).to.be.closeTo(worth * 0.95, 0.01);
    expect(await riches()).to.deep.equal(before);

    // To depositors it is a gain that drips, on top of the interest that there would have been without it.
    const sold = await standing(then, depositor);
    expect(sold.total - unsold.total).to.equal(paid);
    // Nothing of it goes to anybody else: this vault takes no fee.
    const gained = sold.worth - unsold.worth;
    expect(Number(gained - (paid * sold.shares) / sold.supply)).to.be.within(-1, 1);
  });
});
