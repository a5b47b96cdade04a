// Curve's 3pool on mainnet's state, for tests: where it and its feeds are, money in its three coins, fresh answers of its
// feeds, and a model that starts from the genuine pool's balances.
import { Contract, Interface, toBeHex, toQuantity, zeroPadValue } from "ethers";
import type { Context } from "mocha";
import { localWallet } from "../../deploy/networks/localWallet";
import { entrySlot } from "../../scripts/fork/freshEntries";
import type { Fork } from "../../scripts/fork/startFork";
import { ThreePoolModel__factory, ThreePoolTokenModel__factory } from "../../typechain-types";
import { skip } from "../skip";

/** curve.fi's registry; Chainlink's directory of feeds. Coins and feeds in the pool's order: DAI, USDC, USDT. */
export const THREE_POOL = {
  pool: "0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7",
  lpToken: "0x6c3F90f043a72FA612cbac8115EE7e52BDe6E490",
  coins: [
    "0x6B175474E89094C44Da98b954EedeAC495271d0F",
    "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
    "0xdAC17F958D2ee523a2206206994597C13D831ec7",
  ],
  feeds: [
    "0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9",
    "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6",
    "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D",
  ],
} as const;

/** One whole coin. */
export const UNITS = [10n ** 18n, 10n ** 6n, 10n ** 6n] as const;

/** Slots of the mappings of balances. */
const BALANCES = [2, 9, 2] as const;

/** What each feed's proxy reads: its aggregator, and the slot of the round that the recorded state ends with. */
const ROUNDS = [
  ["0x478238a1c8b862498c74d0647329aef9ea6819ed", "0xb4809a41be006147d0fbb4e85a795877f3beba2b155d2387f18e655fdc08a80c"],
  ["0x789190466e21a8b78b8027866cbbdc151542a26c", "0xea4f5ee0aaff4b9051ab811ad7a104b18ebaeda25b3ad9c612469673d4586edd"],
  ["0xa964273552c1dba201f5f000215f5bd5576e8f93", "0x11d04f151bf70872b04bb35a938afecbc23d6046f885d7b2c5766de68425b070"],
] as const;

/** Slot of the total supply of the model's receipts (OpenZeppelin's ERC20). */
const TOTAL_SUPPLY = 2;

/** Slots that the genuine pool keeps what it has no getter for in. */
export const POOL_SLOT = { killed: 0x0fn, lock: 0xffffffn } as const;

export const POOL_ABI = new Interface([
  "function coins(uint256) view returns (address)",
  "function balances(uint256) view returns (uint256)",
  "function admin_balances(uint256) view returns (uint256)",
  "function A() view returns (uint256)",
  "function fee() view returns (uint256)",
  "function admin_fee() view returns (uint256)",
  "function get_virtual_price() view returns (uint256)",
  "function calc_token_amount(uint256[3] amounts, bool deposit) view returns (uint256)",
  "function get_dy(int128 i, int128 j, uint256 dx) view returns (uint256)",
  "function calc_withdraw_one_coin(uint256 amount, int128 i) view returns (uint256)",
  "function add_liquidity(uint256[3] amounts, uint256 min_mint_amount)",
  "function exchange(int128 i, int128 j, uint256 dx, uint256 min_dy)",
  "function remove_liquidity(uint256 amount, uint256[3] min_amounts)",
  "function remove_liquidity_imbalance(uint256[3] amounts, uint256 max_burn_amount)",
  "function remove_liquidity_one_coin(uint256 amount, int128 i, uint256 min_amount)",
  "function kill_me()",
]);

export const ERC20_ABI = [
  "function approve(address, uint256)",
  "function transfer(address, uint256)",
  "function balanceOf(address) view returns (uint256)",
  "function allowance(address, address) view returns (uint256)",
  "function totalSupply() view returns (uint256)",
];

/** Skips what needs the genuine 3pool where the forked state does not hold it. */
export async function skipWithoutThreePool(context: Context, fork: Fork): Promise<void> {
  if (fork.upstream !== "localnet" && (await fork.provider.getCode(THREE_POOL.pool)) !== "0x") return;
  skip(context, `${fork.description} does not hold Curve's 3pool: composite.json.gz does`);
}

/** Sets `holder`'s balance of coin `k`, out of nothing. */
export async function writeCoin(fork: Fork, k: number, holder: string, amount: bigint): Promise<void> {
  // A recorded state answers zero for a fresh account's entry only once it knows of the account.
  await fork.provider.getBalance(holder);
  const slot = entrySlot(holder, toBeHex(BALANCES[k] ?? 0, 32));
  await fork.provider.send("hardhat_setStorageAt", [THREE_POOL.coins[k], slot, zeroPadValue(toBeHex(amount), 32)]);
}

/**
 * Feed `k` says `answer` (8 decimals) as of `updatedAt`, on the recorded state only: its last round is rewritten. Chainlink
 * keeps a round as time in the upper 8 bytes and answer in the lower 24.
 */
export async function writeAnswer(fork: Fork, k: number, answer: bigint, updatedAt: number): Promise<void> {
  const [aggregator, slot] = ROUNDS[k] ?? ROUNDS[0];
  const word = (BigInt(updatedAt) << 192n) | BigInt.asUintN(192, answer);
  await fork.provider.send("hardhat_setStorageAt", [aggregator, slot, toBeHex(word, 32)]);
}

/**
 * A model with the genuine pool's coins, parameters, balances and receipts, and as much of each coin as the genuine pool
 * holds, so that the admin's part is the same too. Returns pool and receipts.
 */
export async function deployModel(fork: Fork): Promise<readonly [pool: string, lpToken: string]> {
  const deployer = localWallet("deployer").connect(fork.provider);
  const genuine = new Contract(THREE_POOL.pool, POOL_ABI, fork.provider);
  const read = async (method: string, ...args: unknown[]): Promise<bigint> =>
    (await genuine.getFunction(method)(...args)) as bigint;
  const token = await new ThreePoolTokenModel__factory(deployer).deploy();
  await token.waitForDeployment();
  const model = await new ThreePoolModel__factory(deployer).deploy(
    [...THREE_POOL.coins],
    token,
    await read("A"),
    await read("fee"),
    await read("admin_fee"),
  );
  await model.waitForDeployment();
  await (await token.set_minter(model)).wait();
  const [pool, lpToken] = [await model.getAddress(), await token.getAddress()];
  const write = async (at: string, slot: number, value: bigint): Promise<void> =>
    void (await fork.provider.send("hardhat_setStorageAt", [at, toQuantity(slot), toBeHex(value, 32)]));
  for (const [k, coin] of THREE_POOL.coins.entries()) {
    await write(pool, k, await read("balances", k));
    const held = (await new Contract(coin, ERC20_ABI, fork.provider).getFunction("balanceOf")(genuine)) as bigint;
    await writeCoin(fork, k, pool, held);
  }
  const supply = await new Contract(THREE_POOL.lpToken, ERC20_ABI, fork.provider).getFunction("totalSupply")();
  await write(lpToken, TOTAL_SUPPLY, supply as bigint);
  return [pool, lpToken];
}
