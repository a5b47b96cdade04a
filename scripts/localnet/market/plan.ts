// What the market does in a turn, from the chain's state and the turn's random numbers alone. Utilisation follows a
// wave around each pool's kink, so that it crosses it both ways in every period; who acts and how much is drawn.
import { DAI_PER_USDC, ETHER, FIRST_PRICES, OPENING, UNISWAP_RINGS, USDC } from "../protocols/parameters";
import {
  STABLE_COINS,
  type FeedState,
  type LendingState,
  type LendingVenue,
  type MarketAction,
  type MarketState,
  type StableCoin,
} from "./marketState";
import type { Random } from "./random";

const WAD = 10n ** 18n;

interface Wave {
  readonly periodSlots: number;
  /** In turns of the circle, so that the two pools do not peak together. */
  readonly phase: number;
  /** How far above and below the kink it goes, as utilisation. Below is the wider side, as on mainnet. */
  readonly above: number;
  readonly below: number;
  /** The size that the pool's lender steers to. */
  readonly usualSupply: bigint;
  readonly largestMove: bigint;
}

const WAVES: Record<LendingVenue, Wave> = {
  aave: {
    ...{ periodSlots: 48, phase: 0, above: 0.015, below: 0.07 },
    ...{ usualSupply: OPENING.aaveUsdc.supplied, largestMove: 2_500_000n * USDC },
  },
  comet: {
    ...{ periodSlots: 40, phase: 0.5, above: 0.015, below: 0.07 },
    ...{ usualSupply: OPENING.comet.supplied, largestMove: 1_000_000n * USDC },
  },
};

/** A turn goes to Aave, Comet or a trade with these chances; a pool that is where it should be leaves it to a trade. */
const CHANCE_AAVE = 0.42;
const CHANCE_COMET = 0.36;
const JITTER = 0.004;
const SMALLEST_MOVE = 20_000n * USDC;
const ROUNDING = 1_000n * USDC;
/** The chance that somebody trades in a turn in which somebody borrowed or lent. */
const CHANCE_OF_BOTH = 0.5;
/** The chance that the pool's size decides which side moves, against a coin. */
const CHANCE_STEERED = 0.75;

const SMALLEST_SWAP = 20_000n * USDC;
const LARGEST_SWAP = 1_200_000n * USDC;
/** How much a tick away from par tilts the coin that decides a swap's direction. */
const TILT_PER_TICK = 0.25;

/** The chance that a trade is one in Curve's 3pool, not in Uniswap's. */
const CHANCE_THREE_POOL = 0.5;
const LARGEST_EXCHANGE = 800_000n * USDC;
/** How much two coins' difference tilts the coin that decides an exchange's direction, as a share of the pool. */
const TILT_PER_SHARE = 1.5;

/** The chance that a trade is a rush out of one coin, which takes the pool's price away from par until others trade it back. */
const CHANCE_RUSH = 0.02;
/** Ticks from par that a rush goes to, at least and at most: past the ring that holds half of the money. */
const RUSH_TICKS = [8, 12] as const;
/** What a rush leaves of the coin that everybody wants, as a share: there the 3pool's price is 1 to 2 % off. */
const RUSH_LEAVES = [0.14, 0.18] as const;

/** Liquidation is at 1; below this the borrower adds collateral, back to {@link SAFE_HEALTH}. */
const THIN_HEALTH = (14n * WAD) / 10n;
const SAFE_HEALTH = (19n * WAD) / 10n;

const LOW_PURSE = 5_000_000n * USDC;
const REFILL = 20_000_000n * USDC;
/** Savings interest for about 80 days; refilled to more than a year's. */
const LOW_RESERVE_BPS = 100n;
const REFILLED_RESERVE_BPS = 500n;
const BPS = 10_000n;

/** Half of Chainlink's heartbeats on mainnet: a day for the stablecoins, an hour for ETH. Reward tokens go by the longer. */
const STABLE_FEED_SECONDS = 43_200;
const ETH_FEED_SECONDS = 1_800;

/**
 * The actions of one turn, in the order in which they have to be sent: upkeep first (prices, purses, collateral, the
 * savings vault's interest), then at most one of a borrower or lender, and a trader.
 */
export function nextActions(state: MarketState, random: Random): readonly MarketAction[] {
  const upkeep = [...freshPrices(state, random), ...fullPurses(state), ...collateral(state), ...savingsInterest(state)];
  const draw = random();
  const venue: LendingVenue | null = draw < CHANCE_AAVE ? "aave" : draw < CHANCE_AAVE + CHANCE_COMET ? "comet" : null;
  const lending = venue === null ? null : lendingMove(state, venue, random);
  const moves = lending === null ? [] : [lending];
  const trades = lending === null || random() < CHANCE_OF_BOTH ? trade(state, random) : null;
  return [...upkeep, ...moves, ...(trades === null ? [] : [trades])];
}

/** Utilisation that the pool is steered to in `slot`, before jitter. */
export function targetUtilization(venue: LendingVenue, slot: number, kink: bigint): number {
  const wave = WAVES[venue];
  const height = Math.sin(2 * Math.PI * (slot / wave.periodSlots + wave.phase));
  return Number(kink) / 1e18 + height * (height > 0 ? wave.above : wave.below);
}

function lendingMove(state: MarketState, venue: LendingVenue, random: Random): MarketAction | null {
  const pool = state[venue];
  const wave = WAVES[venue];
  const target = targetUtilization(venue, state.slot, pool.kink) + (2 * random() - 1) * JITTER;
  const supplied = Number(pool.supplied);
  const borrowed = Number(pool.borrowed);
  const share = 0.6 + 0.4 * random();
  const steered = random() < CHANCE_STEERED;
  const lenderMoves = steered ? null : random() < 0.5;

  const rising = borrowed < target * supplied;
  const tooLarge = pool.supplied > wave.usualSupply;
  // Utilisation rises by more debt or less supply; the pool's size says which keeps it near its usual one.
  const byLender = lenderMoves ?? (rising ? tooLarge : !tooLarge);
  const gap = byLender ? Math.abs(borrowed / target - supplied) : Math.abs(target * supplied - borrowed);
  const wanted = smaller(BigInt(Math.floor(gap * share)), wave.largestMove);

  if (byLender) {
    return rising
      ? sized({ actor: "market", kind: "withdraw", venue }, wanted, [pool.lent, pool.cash / 2n])
      : sized({ actor: "market", kind: "supply", venue }, wanted, [pool.supplyRoom, state.purse.marketUsdc]);
  }
  return rising
    ? sized({ actor: "borrower", kind: "borrow", venue }, wanted, [pool.borrowRoom, pool.cash / 2n])
    : sized({ actor: "borrower", kind: "repay", venue }, wanted, [pool.owed / 2n, state.purse.borrowerUsdc]);
}

function sized<T extends object>(
  action: T,
  wanted: bigint,
  limits: readonly bigint[],
): (T & { amount: bigint }) | null {
  const amount = limits.reduce(smaller, wanted);
  const rounded = amount - (amount % ROUNDING);
  return rounded < SMALLEST_MOVE ? null : { ...action, amount: rounded };
}

function trade(state: MarketState, random: Random): MarketAction | null {
  const inThreePool = random() < CHANCE_THREE_POOL;
  const rushes = random() < CHANCE_RUSH;
  if (inThreePool) return rushes ? exchangeRush(state, random) : exchange(state, random);
  return rushes ? swapRush(state, random) : swap(state, random);
}

function swap(state: MarketState, random: Random): MarketAction | null {
  const sell = random() < 0.5 + TILT_PER_TICK * state.usdcTick ? "usdc" : "usdt";
  const wanted = SMALLEST_SWAP + BigInt(Math.floor(random() * Number(LARGEST_SWAP - SMALLEST_SWAP)));
  const held = sell === "usdc" ? state.purse.traderUsdc : state.purse.traderUsdt;
  return sized({ actor: "trader", kind: "swap", sell } as const, wanted, [held]);
}

/** Sells either coin down to a tick that the market seldom sees. */
function swapRush(state: MarketState, random: Random): MarketAction | null {
  const sell = random() < 0.5 ? "usdc" : "usdt";
  const side = sell === "usdc" ? -1 : 1;
  const target = side * between(RUSH_TICKS, random);
  if (side * state.usdcTick >= side * target) return null;
  const wanted = UNISWAP_RINGS.reduce((sum, { ticks, each }) => {
    const inside = (tick: number): number => Math.max(-ticks, Math.min(ticks, tick));
    return sum + (Number(each) / ticks) * Math.abs(inside(target) - inside(state.usdcTick));
  }, 0);
  const held = sell === "usdc" ? state.purse.traderUsdc : state.purse.traderUsdt;
  return sized({ actor: "trader", kind: "swap", sell } as const, BigInt(Math.floor(wanted)), [held]);
}

/** Sells what the pool has less of more often, which is what it pays more for. */
function exchange(state: MarketState, random: Random): MarketAction | null {
  const [one, other] = twoCoins(random);
  const pooled = pooledUsdc(state);
  const total = STABLE_COINS.reduce((sum, coin) => sum + pooled[coin], 0n);
  const share = Number(pooled[other] - pooled[one]) / Number(total);
  const [sell, buy] = random() < 0.5 + TILT_PER_SHARE * share ? [one, other] : [other, one];
  const wanted = SMALLEST_SWAP + BigInt(Math.floor(random() * Number(LARGEST_EXCHANGE - SMALLEST_SWAP)));
  return exchanged(state, { sell, buy }, wanted);
}

/** Buys nearly all that the pool has of a coin. */
function exchangeRush(state: MarketState, random: Random): MarketAction | null {
  const [sell, buy] = twoCoins(random);
  const bought = Number(pooledUsdc(state)[buy]) * (1 - between(RUSH_LEAVES, random));
  return exchanged(state, { sell, buy }, BigInt(Math.floor(bought)));
}

/** @param wanted In USDC's unit. */
function exchanged(
  { purse }: MarketState,
  coins: { readonly sell: StableCoin; readonly buy: StableCoin },
  wanted: bigint,
): MarketAction | null {
  const held = { dai: purse.traderDai / DAI_PER_USDC, usdc: purse.traderUsdc, usdt: purse.traderUsdt }[coins.sell];
  const action = sized({ actor: "trader", kind: "exchange", ...coins } as const, wanted, [held]);
  return action === null || coins.sell !== "dai" ? action : { ...action, amount: action.amount * DAI_PER_USDC };
}

function twoCoins(random: Random): readonly [StableCoin, StableCoin] {
  const place = Math.floor(random() * STABLE_COINS.length);
  const at = (shift: number): StableCoin => STABLE_COINS[(place + shift) % STABLE_COINS.length] ?? "usdc";
  return [at(0), at(random() < 0.5 ? 1 : 2)];
}

/** In USDC's unit. */
function pooledUsdc({ threePool }: MarketState): Readonly<Record<StableCoin, bigint>> {
  return { ...threePool, dai: threePool.dai / DAI_PER_USDC };
}

function between([least, most]: readonly [number, number], random: Random): number {
  return least + (most - least) * random();
}

function freshPrices(state: MarketState, random: Random): readonly MarketAction[] {
  const old = (feed: FeedState, seconds: number): boolean => state.timestamp - feed.updatedAt >= seconds;
  const reports: MarketAction[] = [];
  for (const feed of ["usdc", "usdt", "dai"] as const) {
    if (!old(state.feeds[feed], STABLE_FEED_SECONDS)) continue;
    // Within two basis points of a dollar.
    reports.push({ actor: "market", kind: "report-price", feed, answer: walk(FIRST_PRICES[feed], 0.0002, random) });
  }
  if (old(state.feeds.eth, ETH_FEED_SECONDS)) {
    const pulled = (state.feeds.eth.answer * 19n + FIRST_PRICES.eth) / 20n;
    reports.push({ actor: "market", kind: "report-price", feed: "eth", answer: walk(pulled, 0.004, random) });
  }
  for (const feed of ["comp", "aave"] as const) {
    if (!old(state.feeds[feed], STABLE_FEED_SECONDS)) continue;
    // Nothing is traded here that would move them.
    reports.push({ actor: "market", kind: "report-price", feed, answer: state.feeds[feed].answer });
  }
  return reports;
}

function walk(from: bigint, step: number, random: Random): bigint {
  return from + BigInt(Math.round(Number(from) * step * (2 * random() - 1)));
}

function fullPurses(state: MarketState): readonly MarketAction[] {
  const mint = (to: "market" | "borrower" | "trader", token: StableCoin, held: bigint): readonly MarketAction[] => {
    const unit = token === "dai" ? DAI_PER_USDC : 1n;
    return held < LOW_PURSE * unit ? [{ actor: "market", kind: "mint", token, to, amount: REFILL * unit }] : [];
  };
  return [
    ...mint("market", "usdc", state.purse.marketUsdc),
    ...mint("borrower", "usdc", state.purse.borrowerUsdc),
    ...mint("trader", "usdc", state.purse.traderUsdc),
    ...mint("trader", "usdt", state.purse.traderUsdt),
    ...mint("trader", "dai", state.purse.traderDai),
  ];
}

function collateral(state: MarketState): readonly MarketAction[] {
  const actions: MarketAction[] = [];
  let weth = state.purse.borrowerWeth;
  for (const venue of ["aave", "comet"] as const) {
    const { health, owed } = state[venue];
    if (owed === 0n || health >= THIN_HEALTH) continue;
    const amount = smaller(wethToRestore(state, state[venue]), weth);
    if (amount === 0n) continue;
    weth -= amount;
    actions.push({ actor: "borrower", kind: "secure", venue, amount });
  }
  return actions;
}

/** WETH that brings health back. Its own weight is taken as 4/5, less than either pool's threshold. */
function wethToRestore(state: MarketState, pool: LendingState): bigint {
  const missingUsd = ((SAFE_HEALTH - pool.health) * pool.owed) / WAD;
  const inWei = (missingUsd * ETHER * FIRST_PRICES.usdc) / (USDC * state.feeds.eth.answer);
  return (inWei * 5n) / 4n;
}

function savingsInterest(state: MarketState): readonly MarketAction[] {
  const { reserve, totalAssets } = state.savings;
  if (reserve * BPS >= totalAssets * LOW_RESERVE_BPS) return [];
  const amount = smaller((totalAssets * REFILLED_RESERVE_BPS) / BPS - reserve, state.purse.marketUsdc);
  return amount === 0n ? [] : [{ actor: "market", kind: "fund-savings", amount }];
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
