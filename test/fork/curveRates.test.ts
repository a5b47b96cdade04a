// The keeper's arithmetic of Curve's 3pool against the genuine pool's own, to the unit, on mainnet's state.
import { expect } from "chai";
import { Contract, MaxUint256 } from "ethers";
import { localWallet } from "../../deploy/networks/localWallet";
import { assetsFor, burnedFor, receiptsFor, type Curve3PoolState } from "../../keeper/venues/curve3pool";
import { seeded } from "../../scripts/bench/randomProblems";
import { describeOnFork } from "./forkSuite";
import { ERC20_ABI, POOL_ABI, skipWithoutThreePool, THREE_POOL, UNITS, writeCoin } from "./threePool";

const GAS = { gasLimit: 3_000_000n } as const;
const MOVES = 60;

describeOnFork("The keeper's arithmetic of Curve's 3pool", (fork) => {
  before(async function () {
    await skipWithoutThreePool(this, fork());
  });

  it(`mints and pays what the genuine pool does, in ${MOVES} random moves of each coin`, async () => {
    const { provider } = fork();
    const trader = localWallet("trader").connect(provider);
    await provider.getBalance(trader.address);
    const pool = new Contract(THREE_POOL.pool, POOL_ABI, trader);
    const receipts = new Contract(THREE_POOL.lpToken, ERC20_ABI, trader);
    const read = async (from: Contract, method: string, ...args: unknown[]): Promise<bigint> =>
      (await from.getFunction(method)(...args)) as bigint;
    const send = async (to: Contract, method: string, ...args: unknown[]): Promise<void> => {
      const sent = (await to.getFunction(method)(...args, GAS)) as { wait: () => Promise<unknown> };
      await provider.send("evm_mine", []);
      await sent.wait();
    };
    for (const [k, coin] of THREE_POOL.coins.entries()) {
      await writeCoin(fork(), k, trader.address, 2_000_000_000n * (UNITS[k] ?? 0n));
      await send(new Contract(coin, ERC20_ABI, trader), "approve", THREE_POOL.pool, MaxUint256);
    }
    const state = async (place: number): Promise<Curve3PoolState> => ({
      kind: "curve-3pool",
      virtualPrice: await read(pool, "get_virtual_price"),
      receipts: await read(receipts, "totalSupply"),
      held: 0n,
      balances: [await read(pool, "balances", 0), await read(pool, "balances", 1), await read(pool, "balances", 2)],
      scales: [1n, 10n ** 12n, 10n ** 12n],
      amplification: await read(pool, "A"),
      fee: await read(pool, "fee"),
      place,
      dollars: [10n ** 8n, 10n ** 8n, 10n ** 8n],
      slippage: 0n,
      steady: true,
    });
    const random = seeded(3);
    let worst = 0n;
    const off = (a: bigint, b: bigint): void => {
      const by = a > b ? a - b : b - a;
      if (by > worst) worst = by;
    };
    for (let i = 0; i < MOVES; i++) {
      const place = Math.floor(random() * 3);
      const before = await state(place);
      const held = await read(receipts, "balanceOf", trader.address);
      if (held === 0n || random() < 0.6) {
        const assets = (BigInt(Math.floor(10 ** (3 + 4.5 * random()))) * (UNITS[place] ?? 0n)) / 100n;
        const expected = receiptsFor(before, assets);
        const amounts = [0n, 0n, 0n].map((_, k) => (k === place ? assets : 0n));
        await send(pool, "add_liquidity", amounts, 0n);
        off((await read(receipts, "balanceOf", trader.address)) - held, expected);
      } else if (random() < 0.4) {
        const assets = (assetsFor(before, held) * BigInt(1 + Math.floor(random() * 989))) / 1_000n;
        const amounts = [0n, 0n, 0n].map((_, k) => (k === place ? assets : 0n));
        await send(pool, "remove_liquidity_imbalance", amounts, held);
        off(held - (await read(receipts, "balanceOf", trader.address)), burnedFor(before, assets) ?? 0n);
      } else {
        const burned = (held * BigInt(1 + Math.floor(random() * 999))) / 1_000n;
        const coin = new Contract(THREE_POOL.coins[place] ?? "", ERC20_ABI, trader);
        const had = await read(coin, "balanceOf", trader.address);
        const expected = assetsFor(before, burned);
        await send(pool, "remove_liquidity_one_coin", burned, place, 0n);
        off((await read(coin, "balanceOf", trader.address)) - had, expected);
      }
    }
    console.log(`      ${MOVES} moves, the largest difference ${worst} units`);
    expect(worst).to.equal(0n);
  });
});
