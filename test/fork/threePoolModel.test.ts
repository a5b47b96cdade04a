// ThreePoolModel against the genuine 3pool, on mainnet's state: both start from the same balances and receipts, get the
// same calls by the same users, and must agree on every amount, balance, fee, event and virtual price to the wei.
import { expect } from "chai";
import { Contract, MaxUint256, toBeHex, toQuantity, type HDNodeWallet, type TransactionReceipt } from "ethers";
import type { Fork } from "../../scripts/fork/startFork";
import { localWallet } from "../../deploy/networks/localWallet";
import { ThreePoolModel__factory } from "../../typechain-types";
import { describeOnFork } from "./forkSuite";
import { seeded } from "./seeded";
import {
  deployModel,
  ERC20_ABI,
  POOL_ABI,
  POOL_SLOT,
  skipWithoutThreePool,
  THREE_POOL,
  UNITS,
  writeCoin,
} from "./threePool";

/** Where one coin is nearly gone, Newton may take all of its 255 steps. */
const GAS_LIMIT = 8_000_000n;

/** Amounts of whole coins: everyday ones move the pool little, those of whales up to where one coin is nearly gone. */
const WALKS = [
  { who: "two providers", seed: 11, steps: 250, most: 2_000_000n },
  { who: "two whales", seed: 12, steps: 250, most: 400_000_000n },
] as const;

/** What a walk must have seen, or it proves little. */
const COVERED = [
  "add_liquidity",
  "exchange",
  "remove_liquidity",
  "remove_liquidity_imbalance",
  "remove_liquidity_one_coin",
].flatMap((method) => [`${method} succeeds`, `${method} fails`]);

type Call = readonly [method: string, ...args: unknown[]];
type Pool = readonly [pool: string, lpToken: string];

describeOnFork("3pool's model against the genuine 3pool", (fork) => {
  let users: readonly HDNodeWallet[];
  const genuine: Pool = [THREE_POOL.pool, THREE_POOL.lpToken];
  let model: Pool;

  before(async function () {
    await skipWithoutThreePool(this, fork());
  });

  beforeEach(async () => {
    users = [localWallet("depositor"), localWallet("secondDepositor")].map((user) => user.connect(fork().provider));
    model = await deployModel(fork());
    for (const user of users) {
      for (const [k, coin] of THREE_POOL.coins.entries()) {
        await writeCoin(fork(), k, user.address, PLENTY * (UNITS[k] ?? 1n));
        for (const [pool] of [genuine, model]) {
          const sent = (await new Contract(coin, ERC20_ABI, user).getFunction("approve")(pool, MaxUint256)) as {
            wait(): Promise<unknown>;
          };
          await sent.wait();
        }
      }
    }
  });

  async function send(user: HDNodeWallet, to: string, [method, ...args]: Call): Promise<TransactionReceipt> {
    const { provider } = fork();
    const data = POOL_ABI.encodeFunctionData(method, args);
    const nonce = await provider.getTransactionCount(user.address);
    // A refused call is mined too, and its hash is in the error that the node answers with.
    const hash = await user
      .sendTransaction({ to, data, nonce, gasLimit: GAS_LIMIT })
      .then((sent) => sent.hash)
      .catch(async () => (await provider.getBlock("latest"))?.transactions[0] ?? "");
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt === null) throw new Error(`${method} was not mined`);
    return receipt;
  }

  const read = (to: string, user: HDNodeWallet, [method, ...args]: Call): Promise<string> =>
    outcome(fork(), to, user, [method, ...args]);

  /** All that a user can see of one of them. */
  async function seen([pool, lpToken]: Pool): Promise<Record<string, string>> {
    const [user, other] = users;
    if (!user || !other) throw new Error("two users");
    const token = new Contract(lpToken, ERC20_ABI, fork().provider);
    const held = (await token.getFunction("balanceOf")(user.address)) as bigint;
    const reads: [name: string, value: Promise<string>][] = [
      ["virtual price", read(pool, user, ["get_virtual_price"])],
      ["receipts", (token.getFunction("totalSupply")() as Promise<bigint>).then(String)],
      ["first's", Promise.resolve(String(held))],
      ["second's", (token.getFunction("balanceOf")(other.address) as Promise<bigint>).then(String)],
    ];
    for (let k = 0; k < 3; k++) {
      const amounts = [0, 1, 2].map((at) => (at === k ? 12_345n * (UNITS[k] ?? 1n) : 0n));
      reads.push([`balance ${k}`, read(pool, user, ["balances", k])]);
      reads.push([`admin's ${k}`, read(pool, user, ["admin_balances", k])]);
      reads.push([`for one coin ${k}`, read(pool, user, ["calc_token_amount", amounts, true])]);
      reads.push([`of one coin ${k}`, read(pool, user, ["calc_token_amount", amounts, false])]);
      reads.push([`all in coin ${k}`, read(pool, user, ["calc_withdraw_one_coin", held, k])]);
      reads.push([`price ${k}`, read(pool, user, ["get_dy", k, (k + 1) % 3, 54_321n * (UNITS[k] ?? 1n)])]);
    }
    return Object.fromEntries(await Promise.all(reads.map(async ([name, value]) => [name, await value] as const)));
  }

  /** Their events and those of their receipts. */
  const logsOf = (receipt: TransactionReceipt, [pool, lpToken]: Pool): unknown[] =>
    receipt.logs.flatMap(({ address, topics, data }) =>
      address === pool ? [{ of: "pool", topics, data }] : address === lpToken ? [{ of: "receipts", topics, data }] : [],
    );

  for (const { who, seed, steps, most } of WALKS) {
    it(`agrees to the wei on ${steps} random calls of ${who}`, async () => {
      const below = seeded(seed);
      const done = new Map<string, number>();
      let [least, greatest] = [1, 0];
      let [numbers, worst] = [0, 0n];
      expect(await seen(model)).to.deep.equal(await seen(genuine));
      for (let step = 0; step < steps; step++) {
        const user = users[below(2)];
        if (!user) throw new Error("two users");
        const token = new Contract(genuine[1], ERC20_ABI, fork().provider);
        const held = (await token.getFunction("balanceOf")(user.address)) as bigint;
        const call = nextCall(below, held, most);
        const what = `step ${step}: ${call.map(String).join(" ")}`;
        const said = await read(genuine[0], user, call);
        expect(await read(model[0], user, call), what).to.equal(said);
        const a = await send(user, genuine[0], call);
        const b = await send(user, model[0], call);
        expect(b.status, what).to.equal(a.status);
        expect(a.status === 0, what).to.equal(said.startsWith("refuses"));
        expect(logsOf(b, model), what).to.deep.equal(logsOf(a, genuine));
        const [now, modelled] = [await seen(genuine), await seen(model)];
        for (const [name, value] of Object.entries(now)) {
          const difference = differenceOf(value, modelled[name] ?? "");
          if (difference !== undefined) numbers++;
          if (difference !== undefined && difference > worst) worst = difference;
        }
        expect(modelled, `${what}: ${worst} wei apart`).to.deep.equal(now);
        const name = `${call[0]} ${a.status === 1 ? "succeeds" : "fails"}`;
        done.set(name, (done.get(name) ?? 0) + 1);
        const shares = sharesOf(now);
        least = Math.min(least, ...shares);
        greatest = Math.max(greatest, ...shares);
      }
      const missing = COVERED.filter((name) => !done.has(name));
      expect(missing, `seen: ${[...done].join("; ")}`).to.deep.equal([]);
      // A walk in a balanced pool would not tell the invariant from a sum.
      if (most > 100_000_000n) {
        expect(least, "least share of a coin").to.be.lessThan(0.02);
        expect(greatest, "greatest share of a coin").to.be.greaterThan(0.9);
      }
      const refused = [...done].filter(([name]) => name.endsWith("fails")).reduce((sum, [, count]) => sum + count, 0);
      console.log(
        `      ${steps} calls, ${refused} of them refused by both; ${numbers} numbers compared after them: ` +
          `greatest difference ${worst} wei`,
      );
    });
  }

  it("agrees on what is refused when killed, and on leaving in every coin all the same", async () => {
    const [user] = users;
    if (!user) throw new Error("a user");
    const whole = UNITS.map((unit) => 1_000n * unit);
    for (const [pool] of [genuine, model])
      expect((await send(user, pool, ["add_liquidity", whole, 0n])).status).to.equal(1);
    await fork().provider.send("hardhat_setStorageAt", [genuine[0], toQuantity(POOL_SLOT.killed), toBeHex(1, 32)]);
    const deployer = localWallet("deployer").connect(fork().provider);
    await (await ThreePoolModel__factory.connect(model[0], deployer).kill_me()).wait();
    const calls: readonly (readonly [Call, works: boolean])[] = [
      [["add_liquidity", whole, 0n], false],
      [["exchange", 0, 1, UNITS[0], 0n], false],
      [["remove_liquidity_imbalance", UNITS, MaxUint256], false],
      [["remove_liquidity_one_coin", UNITS[0], 1, 0n], false],
      [["remove_liquidity", UNITS[0], [0n, 0n, 0n]], true],
    ];
    for (const [call, works] of calls) {
      for (const [pool] of [genuine, model]) {
        expect((await read(pool, user, call)).startsWith("refuses"), call[0]).to.equal(!works);
      }
    }
    expect(await seen(model)).to.deep.equal(await seen(genuine));
  });

  it("agrees on what is refused while a call is under way", async () => {
    const [user] = users;
    if (!user) throw new Error("a user");
    const { provider } = fork();
    await provider.send("hardhat_setStorageAt", [genuine[0], toQuantity(POOL_SLOT.lock), toBeHex(1, 32)]);
    await provider.send("hardhat_setStorageAt", [model[0], toQuantity(MODEL_LOCK), toBeHex(1, 32)]);
    const calls: readonly Call[] = [
      ["add_liquidity", UNITS, 0n],
      ["exchange", 0, 1, UNITS[0], 0n],
      ["remove_liquidity", 0n, [0n, 0n, 0n]],
    ];
    for (const call of calls) {
      for (const [pool] of [genuine, model]) expect(await read(pool, user, call), call[0]).to.match(/^refuses/);
    }
    // Views answer all the same: that is what read-only reentrancy is.
    expect(await seen(model)).to.deep.equal(await seen(genuine));
    expect(await read(model[0], user, ["get_virtual_price"])).to.not.match(/^refuses/);
  });
});

/** More whole coins than a walk spends, for a user pays both pools. */
const PLENTY = 10n ** 12n;

const MODEL_LOCK = 3;
/** Selector of Error(string). */
const ERROR_STRING = "0x08c379a0";

/**
 * The result of a call, or the reason it reverted with. The genuine pool gives none for arithmetic and for plain refusals,
 * where Solidity names the kind.
 */
async function outcome(fork: Fork, to: string, user: HDNodeWallet, [method, ...args]: Call): Promise<string> {
  try {
    const data = POOL_ABI.encodeFunctionData(method, args);
    return await fork.provider.call({ to, from: user.address, data });
  } catch (error) {
    const data = String((error as { data?: unknown }).data);
    return `refuses ${data.startsWith(ERROR_STRING) ? data : ""}`;
  }
}

/** How far two answers are apart, or undefined where one is a refusal. */
function differenceOf(a: string, b: string): bigint | undefined {
  if (a.startsWith("refuses") || b.startsWith("refuses")) return undefined;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -difference : difference;
}

/** The share of each coin in the pool. */
function sharesOf(now: Record<string, string>): readonly number[] {
  const whole = UNITS.map((unit, k) => Number(BigInt(now[`balance ${k}`] ?? 0)) / Number(unit));
  const sum = whole.reduce((a, b) => a + b, 0);
  return whole.map((amount) => amount / sum);
}

/** @param most Of whole coins in one amount. */
function nextCall(below: (n: number) => number, held: bigint, most: bigint): Call {
  const amountOf = (k: number): bigint => {
    const unit = UNITS[k] ?? 1n;
    const odd = BigInt(below(1_000_000));
    return [0n, 1n, odd, odd * unit, (most * unit * BigInt(below(1_000))) / 1_000n + odd, most * unit][below(6)] ?? 0n;
  };
  const amounts = [0, 1, 2].map(amountOf);
  const single = below(3);
  const oneSided = amounts.map((amount, k) => (k === single ? amount : 0n));
  // Parts of what is held, all of it, and more than it.
  const burned = [1n, held / 7n, held / 2n, held, held + 1n][below(5)] ?? 0n;
  const [i, j] = [below(4), below(3)];
  const calls: readonly Call[] = [
    ["add_liquidity", amounts, 0n],
    ["add_liquidity", oneSided, 0n],
    ["add_liquidity", oneSided, (amounts[single] ?? 0n) * 10n ** 12n],
    ["exchange", i, j, amountOf(i), 0n],
    ["exchange", i, j, amountOf(i), 0n],
    ["exchange", i, j, amountOf(i), 10n ** 12n],
    ["remove_liquidity", burned, [0n, 0n, 0n]],
    ["remove_liquidity", burned, amounts],
    ["remove_liquidity_imbalance", amounts, MaxUint256],
    ["remove_liquidity_imbalance", oneSided, held],
    ["remove_liquidity_one_coin", burned, i, 0n],
    ["remove_liquidity_one_coin", burned, j, amounts[j]],
  ];
  return calls[below(calls.length)] ?? ["add_liquidity", amounts, 0n];
}
