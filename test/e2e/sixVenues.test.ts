// One vault over Aave, Comet, an ERC-4626 vault, Sky, Curve's 3pool and a range of Uniswap V3: the keeper spreads over all of
// them, keeps its books as the chain has them, and after a month everything leaves by every way there is.
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { type Contract, type ContractTransaction, type ContractTransactionResponse, MaxUint256 } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import type { LocalRole } from "../../deploy/networks/localAccounts";
import type { StatusView } from "../../keeper/app/view";
import { bindContracts, type MarketContracts } from "../../scripts/localnet/market/contracts";
import { UNISWAP_FEE_PIPS } from "../../scripts/localnet/protocols/parameters";
import {
  Curve3PoolAdapter__factory,
  ERC20__factory,
  IAdapter__factory,
  UniswapV3Adapter__factory,
  Vault__factory,
  type Vault,
} from "../../typechain-types";
import { keeperEnvironment, startLocalSystem, startScript, tiller, type LocalSystem } from "./localSystem";

const USDC = 10n ** 6n;
const DAY = 86_400;
/** A month in 360 blocks. */
const SECONDS_PER_BLOCK = 7_200;
/** The keeper's time for each block. Blocks are made here, after what the market does in them: reports of prices are never late. */
const BLOCK_MS = 150;
/** From one report of prices to the next: a third of the time after which they are stale. */
const REPORT_BLOCKS = 4;
/** In which the money has to be in all venues. */
const MOST_BLOCKS = 600;
/** With this much the caps of the venues that pay best are full, and the rest finds its way into the others. */
const DEPOSIT = 26_000_000n * USDC;
/** What the market turns over in each pool and block, there and back: the pools' fees. */
const TRADED = 2_000_000n * USDC;
const GAS = { gasLimit: 5_000_000n } as const;
/** Wei; far above a local base fee. Of the market's transactions: nobody has to be asked for them. */
const FEES = { type: 2, maxFeePerGas: 200_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n } as const;
const VENUES = [
  "aave-v3-usdc",
  "compound-v3-usdc",
  "savings-usdc",
  "sky-susds",
  "curve-3pool",
  "uniswap-v3-usdc-usdt",
] as const;
type Venue = (typeof VENUES)[number];

describe("a vault over six venues", function () {
  this.timeout(600_000);
  let system: LocalSystem;
  let contracts: MarketContracts;
  let vault: Vault;
  let config: string;

  const wallet = (role: LocalRole) => localWallet(role).connect(system.provider);
  const adapterOf = (venue: Venue): string => {
    const entry = system.genesis.addresses.adapters.find(({ id }) => id === venue);
    if (entry === undefined) throw new Error(`no adapter of ${venue}`);
    return entry.adapter;
  };
  const usdcOf = async (who: string): Promise<bigint> => (await contracts.usdc.getFunction("balanceOf")(who)) as bigint;
  const now = async (): Promise<number> => (await system.provider.getBlock("latest"))?.timestamp ?? 0;
  /** Makes the block that the transaction is in. */
  const mined = async (sent: Promise<ContractTransactionResponse>): Promise<void> => {
    const { hash } = await sent;
    await system.relay.produceBlock();
    expect((await system.provider.getTransactionReceipt(hash))?.status).to.equal(1);
  };
  /** Amounts by venue as the chain has them at a block. */
  const onChain = async (block: number | "latest" = "latest"): Promise<Record<Venue, bigint>> => {
    const values = await Promise.all(
      VENUES.map(async (venue) => {
        const adapter = IAdapter__factory.connect(adapterOf(venue), system.provider);
        return [venue, await adapter.fairValue({ blockTag: block })] as const;
      }),
    );
    return Object.fromEntries(values) as Record<Venue, bigint>;
  };

  /** Of the market's accounts, of which nothing ever waits between blocks. */
  const nonces = new Map<LocalRole, number>();
  const send = async (role: LocalRole, call: ContractTransaction): Promise<void> => {
    const nonce = nonces.get(role) ?? (await wallet(role).getNonce());
    nonces.set(role, nonce + 1);
    await wallet(role).sendTransaction({ ...call, ...GAS, ...FEES, nonce });
  };

  /** Somebody turns over a lot in both pools, at prices that end where they began. */
  async function trade(): Promise<void> {
    const { usdc, usdt } = system.genesis.protocols.tokens;
    const { swapRouter } = contracts;
    const threePool = contracts.threePool as unknown as Contract;
    for (const [tokenIn, tokenOut] of [
      [usdc, usdt],
      [usdt, usdc],
    ]) {
      const order = [tokenIn, tokenOut, UNISWAP_FEE_PIPS, wallet("trader").address, TRADED, 0n, 0n];
      await send("trader", await swapRouter.getFunction("exactInputSingle").populateTransaction(order));
    }
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ]) {
      await send("trader", await threePool.getFunction("exchange").populateTransaction(from, to, TRADED, 0n));
    }
  }

  /** The feeds report what they reported, as of the block that these are mined in. */
  async function report(): Promise<void> {
    const { usdc, usdt, dai } = contracts.feeds;
    for (const feed of [usdc, usdt, dai]) await send("market", await feed.push.populateTransaction(100_000_000n));
  }
  const reported = async (): Promise<void> => {
    await report();
    await system.relay.produceBlock();
  };

  async function status(): Promise<StatusView> {
    const { code, stdout, stderr } = await tiller(["status", "--json", "--config", config]);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as StatusView;
  }

  before(async () => {
    system = await startLocalSystem({ blockMs: 0, secondsPerBlock: SECONDS_PER_BLOCK });
    contracts = bindContracts(system.provider, system.genesis.protocols);
    const { vault: address } = system.genesis.addresses;
    vault = Vault__factory.connect(address, system.provider);
    config = system.configure("keeper", {
      limits: { cooldownSeconds: 0, deadlineSeconds: 40 * SECONDS_PER_BLOCK, maxShareOfVenue: 1 },
      collect: { everySeconds: DAY },
    });
    const [market, trader, depositor] = [wallet("market"), wallet("trader"), wallet("secondDepositor")];
    const { usdc, usdt } = contracts;
    const mint = async (token: Contract, to: string, amount: bigint): Promise<void> =>
      mined(
        (token.connect(market) as Contract).getFunction("mint")(to, amount) as Promise<ContractTransactionResponse>,
      );
    await mint(usdc, depositor.address, DEPOSIT);
    await mint(usdc, trader.address, 10n * TRADED);
    await mint(usdt, trader.address, 10n * TRADED);
    const approved = (usdc.connect(depositor) as Contract).getFunction("approve")(address, MaxUint256, GAS);
    await mined(approved as Promise<ContractTransactionResponse>);
    await mined(vault.connect(depositor)["deposit(uint256,address)"](DEPOSIT, depositor.address, GAS));
  });
  after(() => system.stop());

  it("is spread over all of them by the keeper's plans, and its books are the chain's a month later", async () => {
    const keeper = startScript("keeper/cli/main.ts", ["run", "--config", config, "--json"], keeperEnvironment());
    /** Blocks until it holds, or so many. */
    const until = async (holds: () => Promise<boolean>, blocks: number): Promise<void> => {
      for (let block = 0; block < blocks && !(await holds()); block++) {
        await trade();
        if (block % REPORT_BLOCKS === 0) await report();
        await system.relay.produceBlock();
        await sleep(BLOCK_MS);
      }
    };
    try {
      const spread = (held: Record<Venue, bigint>): boolean => VENUES.every((venue) => held[venue] >= 50_000n * USDC);
      await until(async () => spread(await onChain()), MOST_BLOCKS);
      const held = await onChain();
      for (const venue of VENUES) expect(Number(held[venue]), venue).to.be.at.least(Number(50_000n * USDC));
      const since = await now();
      await until(async () => (await now()) >= since + 30 * DAY, (30 * DAY) / SECONDS_PER_BLOCK);
    } finally {
      keeper.process.kill("SIGINT");
      await keeper.finished;
    }
    const books = await status();
    const chain = await onChain(books.block);
    const kept = Object.fromEntries(books.allocations.map(({ venue, assets }) => [venue, BigInt(assets)]));
    expect(kept).to.deep.equal(chain);
    expect(BigInt(books.totalAssets)).to.equal(await vault.totalAssets({ blockTag: books.block }));
    expect(books.bundles.included).to.be.at.least(1);
    const [price] = [await vault.sharePrice()];
    expect(price > USDC * 10n ** 18n).to.equal(true);
    const lines = VENUES.map((venue) => `${venue} ${(Number(chain[venue]) / 1e6).toLocaleString("en-US")}`);
    console.log(`      ${lines.join(", ")}; share price ${Number(price) / 1e24}; ${books.bundles.included} bundles`);
  });

  it("pays out of idle and of the exact venues, and never sells a pool's position for it", async () => {
    const depositor = wallet("secondDepositor");
    await reported();
    const before = await onChain();
    const most = await vault.maxWithdraw(depositor.address);
    const exact = VENUES.slice(0, 4).reduce((sum, venue) => sum + before[venue], await vault.idle());
    expect(most <= exact).to.equal(true);
    const paid = 8_000_000n * USDC;
    const had = await usdcOf(depositor.address);
    await mined(
      vault.connect(depositor)["withdraw(uint256,address,address)"](paid, depositor.address, depositor.address, GAS),
    );
    expect((await usdcOf(depositor.address)) - had).to.equal(paid);
    const curve = Curve3PoolAdapter__factory.connect(adapterOf("curve-3pool"), system.provider);
    const uniswap = UniswapV3Adapter__factory.connect(adapterOf("uniswap-v3-usdc-usdt"), system.provider);
    for (const pool of [curve, uniswap]) {
      const now = await pool.fairValue();
      const then = before[pool === curve ? "curve-3pool" : "uniswap-v3-usdc-usdt"];
      expect(now >= then, "a pool's position was sold").to.equal(true);
    }
  });

  it("pays in kind: every venue's receipts, of the 3pool its own, of the range both coins", async () => {
    const depositor = wallet("secondDepositor");
    await reported();
    const { threePool, sky, tokens, aave, comet, savings } = system.genesis.protocols;
    const receipts = [aave.reserves.usdc.aToken, comet, savings, sky.sUsds, threePool.token, tokens.usdt, tokens.usdc];
    const balances = (): Promise<bigint[]> =>
      Promise.all(receipts.map((token) => ERC20__factory.connect(token, system.provider).balanceOf(depositor.address)));
    const [had, price] = [await balances(), await vault.sharePrice()];
    const before = await onChain();
    const shares = (await vault.balanceOf(depositor.address)) / 2n;
    const supply = await vault.totalSupply();
    await mined(vault.connect(depositor).redeemInKind(shares, depositor.address, [], GAS));
    const got = (await balances()).map((balance, i) => balance - (had[i] ?? 0n));
    for (const [i, amount] of got.entries()) expect(amount > 0n, receipts[i]).to.equal(true);
    // A part of everything: what is left of each venue is what shares are left.
    const after = await onChain();
    for (const venue of VENUES) {
      const left = (before[venue] * (supply - shares)) / supply;
      expect(Number(after[venue]) / Number(left), venue).to.be.within(0.999_9, 1.000_1);
    }
    expect((await vault.sharePrice()) >= price - price / 1_000_000n).to.equal(true);
  });

  it("is left by the guardian where it is no exact venue, tripped, within its own budget; what is left goes to the last", async () => {
    const guardian = wallet("guardian");
    await reported();
    await mined(vault.connect(guardian).guardianTrip(DAY, GAS));
    const before = await vault.totalAssets();
    for (const venue of ["curve-3pool", "uniswap-v3-usdc-usdt"] as const) {
      await mined(vault.connect(guardian).guardianExit(adapterOf(venue), MaxUint256, 0n, GAS));
      expect((await onChain())[venue], venue).to.equal(0n);
    }
    const lost = Number(before - (await vault.totalAssets()));
    expect(lost / Number(before)).to.be.below(0.001);
    const uniswap = UniswapV3Adapter__factory.connect(adapterOf("uniswap-v3-usdc-usdt"), system.provider);
    expect([await uniswap.tickLower(), await uniswap.tickUpper()]).to.deep.equal([0n, 0n]);
    for (const role of ["secondDepositor", "depositor"] as const) {
      const who = wallet(role);
      const shares = await vault.balanceOf(who.address);
      const had = await usdcOf(who.address);
      const worth = await vault.previewRedeem(shares);
      await mined(vault.connect(who)["redeem(uint256,address,address)"](shares, who.address, who.address, GAS));
      expect(Number((await usdcOf(who.address)) - had) / Number(worth)).to.be.within(0.999_999, 1.001);
      expect(await vault.balanceOf(who.address)).to.equal(0n);
    }
    // The burned seed's part stays, and what it has earned.
    expect(Number(await vault.totalAssets()) / 1e6).to.be.within(100, 10_000);
  });
});
