// One vault over Aave, Comet, an ERC-4626 vault, Sky, Curve's 3pool and a range of Uniswap V3: the keeper spreads over all of
// them, keeps its books as the chain has them, and after a month everything leaves by every way there is.
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { type Contract, MaxUint256, type ContractTransactionResponse } from "ethers";
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
/** A month in 360 blocks, and twelve in the time after which a feed's answer is stale. */
const SECONDS_PER_BLOCK = 7_200;
const BLOCK_MS = 300;
/** With this much the caps of the venues that pay best are full, and the rest finds its way into the others. */
const DEPOSIT = 26_000_000n * USDC;
/** What the market turns over in each pool and block, there and back: the pools' fees. */
const TRADED = 2_000_000n * USDC;
const GAS = { gasLimit: 5_000_000n } as const;
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
  this.timeout(420_000);
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
  /** By asking for it: a subscription to blocks ends for good with the first request of it that fails. */
  const landed = async ({ hash }: ContractTransactionResponse): Promise<number | null> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const receipt = await system.provider.getTransactionReceipt(hash).catch(() => null);
      if (receipt !== null) return receipt.status;
      await sleep(100);
    }
    throw new Error(`${hash} is in no block after a minute`);
  };
  const mined = async (sent: Promise<ContractTransactionResponse>): Promise<void> => {
    expect(await landed(await sent)).to.equal(1);
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

  /** Counted here: while a block is being made the node's own count may be of before or of after it. */
  const nonces = new Map<LocalRole, number>();
  const next = (role: LocalRole): number => {
    const nonce = nonces.get(role) ?? 0;
    nonces.set(role, nonce + 1);
    return nonce;
  };

  /** Somebody turns over a lot in both pools, at prices that end where they began. */
  async function trade(): Promise<void> {
    const trader = wallet("trader");
    const { usdc, usdt } = system.genesis.protocols.tokens;
    const sent: ContractTransactionResponse[] = [];
    const send = async (to: Contract, method: string, args: readonly unknown[]): Promise<void> => {
      const call = to.connect(trader) as Contract;
      sent.push(
        (await call.getFunction(method)(...args, { ...GAS, nonce: next("trader") })) as ContractTransactionResponse,
      );
    };
    for (const [tokenIn, tokenOut] of [
      [usdc, usdt],
      [usdt, usdc],
    ]) {
      const order = [tokenIn, tokenOut, UNISWAP_FEE_PIPS, trader.address, TRADED, 0n, 0n];
      await send(contracts.swapRouter, "exactInputSingle", [order]);
    }
    const threePool = contracts.threePool as unknown as Contract;
    await send(threePool, "exchange", [1, 2, TRADED, 0n]);
    await send(threePool, "exchange", [2, 1, TRADED, 0n]);
    for (const transaction of sent) await landed(transaction);
  }

  /** The feeds report what they reported, as of the block that these are mined in. */
  async function report(): Promise<ContractTransactionResponse[]> {
    const reporter = wallet("market");
    const { usdc, usdt, dai } = contracts.feeds;
    return Promise.all(
      [usdc, usdt, dai].map((feed) => feed.connect(reporter).push(100_000_000n, { ...GAS, nonce: next("market") })),
    );
  }
  const reported = async (): Promise<void> => {
    for (const transaction of await report()) await landed(transaction);
  };

  async function status(): Promise<StatusView> {
    const { code, stdout, stderr } = await tiller(["status", "--json", "--config", config]);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as StatusView;
  }

  before(async () => {
    system = await startLocalSystem({ blockMs: BLOCK_MS, secondsPerBlock: SECONDS_PER_BLOCK });
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
    for (const role of ["trader", "market"] as const) nonces.set(role, await wallet(role).getNonce());
  });
  after(() => system.stop());

  it("is spread over all of them by the keeper's plans, and its books are the chain's a month later", async () => {
    const keeper = startScript("keeper/cli/main.ts", ["run", "--config", config, "--json"], keeperEnvironment());
    let open = true;
    const always = async (act: () => Promise<void>): Promise<void> => {
      while (open) await act();
    };
    const reports = async (): Promise<void> => {
      await report();
      // About once a block, whatever the machine does besides.
      await sleep(BLOCK_MS);
    };
    const market = Promise.all([always(trade), always(reports)]);
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      for (let tries = 0; tries < 600 && !(await holds()); tries++) await sleep(300);
    };
    try {
      const spread = (held: Record<Venue, bigint>): boolean => VENUES.every((venue) => held[venue] >= 50_000n * USDC);
      await until(async () => spread(await onChain()));
      const held = await onChain();
      for (const venue of VENUES) expect(Number(held[venue]), venue).to.be.at.least(Number(50_000n * USDC));
      const since = await now();
      await until(async () => (await now()) >= since + 30 * DAY);
    } finally {
      keeper.process.kill("SIGINT");
      await keeper.finished;
      open = false;
      await market;
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
