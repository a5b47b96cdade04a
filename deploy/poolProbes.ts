// Asks a pool and the feeds of its coins what they are. A pool names neither its receipts nor who prices its coins, so
// each is compared with what the pool counts with, and with what the token calls itself.
import { Interface, type Provider } from "ethers";
import {
  IAggregatorV3Metadata__factory,
  ICurvePool__factory,
  IERC20Metadata__factory,
  IUniswapV3Factory__factory,
  IUniswapV3Pool__factory,
} from "../typechain-types";
import { ask, askAll, type Question } from "./contractCall";
import type { VenuePlace } from "./networks/network";
import type { Problem } from "./problem";
import { sameAddress } from "./sameAddress";

type ThreePool = Extract<VenuePlace, { readonly kind: "curve-3pool" }>;
type UniswapPool = Extract<VenuePlace, { readonly kind: "uniswap-v3" }>;

const CURVE_POOL = ICurvePool__factory.createInterface();
const UNISWAP_POOL = IUniswapV3Pool__factory.createInterface();
const UNISWAP_FACTORY = IUniswapV3Factory__factory.createInterface();
const POOLS_FACTORY = new Interface(["function factory() view returns (address)"]);
const ERC20 = IERC20Metadata__factory.createInterface();
const FEED = IAggregatorV3Metadata__factory.createInterface();

const COINS = [0, 1, 2] as const;
/** In units of 1e-18 receipts: what Newton's steps may be off. */
const RECEIPTS_ROUNDING = 1_000n;
/** Place in `slot0` of how many observations there are. */
const CARDINALITY = 3;

/** What is wrong with Curve's 3pool, its receipts or its feeds, or null. A fourth coin its adapter refuses. */
export async function problemOfThreePool(provider: Provider, place: ThreePool, asset: string): Promise<Problem | null> {
  const of = (method: string, ...args: readonly unknown[]): Question => ({
    ...{ to: place.venue, abi: CURVE_POOL, method, args },
  });
  const coins = await Promise.all(COINS.map((k) => ask(provider, of("coins", k))));
  const balances = await Promise.all(COINS.map((k) => ask(provider, of("balances", k))));
  if (!coins.every((coin) => typeof coin === "string") || balances.includes(undefined)) {
    return { what: "is no pool of three coins of Curve's" };
  }
  if (!coins.some((coin) => sameAddress(coin, asset))) return { what: `is a pool of ${coins.join(", ")}` };

  const supply = await ask(provider, { to: place.receipt, abi: ERC20, method: "totalSupply" });
  // A second pool of the same balances would be worth as many receipts as there are.
  const counted = await ask(provider, of("calc_token_amount", balances, true));
  if (typeof supply !== "bigint" || typeof counted !== "bigint" || distance(supply, counted) > RECEIPTS_ROUNDING) {
    return {
      part: "receipt",
      what: `does not count with the receipts ${place.receipt}`,
      remedy: "Correct the address of the pool's token; a pool that holds nothing cannot be judged.",
    };
  }
  for (const [k, coin] of coins.entries()) {
    const problem = await problemOfFeed(provider, { feed: place.feeds[k] ?? "", coin, part: `feeds.${k}` });
    if (problem !== null) return problem;
  }
  return null;
}

/** What is wrong with a pool of Uniswap V3, the paired coin, what the pool remembers, or the feeds; or null. */
export async function problemOfUniswapPool(
  provider: Provider,
  place: UniswapPool,
  asset: string,
): Promise<Problem | null> {
  const of = (method: string, ...args: readonly unknown[]): Question => ({
    ...{ to: place.venue, abi: UNISWAP_POOL, method, args },
  });
  const [token0, token1] = [await ask(provider, of("token0")), await ask(provider, of("token1"))];
  const [fee, slot0] = [await ask(provider, of("fee")), await askAll(provider, of("slot0"))];
  if (typeof token0 !== "string" || typeof token1 !== "string" || fee === undefined || slot0 === undefined) {
    return { what: "is no pool of Uniswap V3" };
  }
  if (!sameAddress(token0, asset) && !sameAddress(token1, asset)) return { what: `trades ${token0} for ${token1}` };
  const other = sameAddress(token0, asset) ? token1 : token0;
  if (!sameAddress(other, place.paired)) {
    return {
      part: "paired",
      what: `trades the asset for ${other}`,
      remedy: "Correct the paired coin's address, or the pool's.",
    };
  }
  const args = [token0, token1, fee];
  const known = await ask(provider, { to: place.factory, abi: UNISWAP_FACTORY, method: "getPool", args });
  if (!sameAddress(known, place.venue)) {
    return {
      part: "factory",
      what: `is not the pool that the factory ${place.factory} knows`,
      remedy: "Correct the factory's address, or the pool's.",
    };
  }
  const coins = [asset, other];
  for (const [k, coin] of coins.entries()) {
    const problem = await problemOfFeed(provider, { feed: place.feeds[k] ?? "", coin, part: `feeds.${k}` });
    if (problem !== null) return problem;
  }
  const kept = Number(slot0[CARDINALITY]);
  if (kept < place.leastObservations) {
    return {
      part: "leastObservations",
      what: `keeps ${kept} observations of its price, not ${place.leastObservations}`,
      remedy: `Call increaseObservationCardinalityNext(${place.leastObservations}) on the pool, as anyone may, and wait until it has been traded in.`,
    };
  }
  if ((await ask(provider, of("observe", [place.windowSeconds]))) === undefined) {
    return {
      part: "windowSeconds",
      what: `does not remember its price of ${place.windowSeconds} s ago`,
      remedy: "Wait that long, or choose a shorter window.",
    };
  }
  return null;
}

/** The factory that a pool names; whether it is the right one, the pool cannot say. */
export async function factoryOf(provider: Provider, pool: string): Promise<unknown> {
  return ask(provider, { to: pool, abi: POOLS_FACTORY, method: "factory" });
}

/** What is wrong with Chainlink's dollar price of a token, or null. It is known by the name that it gives itself. */
export async function problemOfFeed(
  provider: Provider,
  { feed, coin, part }: { readonly feed: string; readonly coin: string; readonly part: string },
): Promise<Problem | null> {
  const symbol = await ask(provider, { to: coin, abi: ERC20, method: "symbol" });
  const described = await ask(provider, { to: feed, abi: FEED, method: "description" });
  if (described === `${String(symbol)} / USD`) return null;
  return {
    part,
    what: `has for ${String(symbol)} the feed ${feed}, which ${described === undefined ? "is none" : `is ${String(described)}`}`,
    remedy: "Correct the feed's address; feeds stand in the order of the coins.",
  };
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}
