// Limits that are the same on every network, because they follow from the kinds of venue and not from the place.
import { ZeroAddress } from "ethers";
import {
  bps,
  DAY_SECONDS,
  percent,
  type ConditionParameters,
  type NetworkParameters,
  type SaleTerms,
  type ThreePoolTerms,
  type UniswapTerms,
} from "./network";

type CommonLimits = Omit<NetworkParameters["limits"], "depositCap" | "maxRate">;

const USDC = 10n ** 6n;

export const COMMON_LIMITS: CommonLimits = {
  // No fee while the vault proves itself. Raising one goes through the timelock.
  managementFee: 0n,
  performanceFee: 0n,
  feeRecipient: ZeroAddress,
  // Ordinary exits of a day are paid without touching a venue; costs a depositor some 0.1 % of the yield.
  minimumIdle: percent(2),
  // Lending and savings venues give back what they were given but for one or two units a move. 2 bp leaves room for
  // that in a vault of a few hundredths of a dollar, and for an ERC-4626 venue that rounds by its share price. Of a pool
  // filled to its cap in one plan it allows a loss of 13 bp, more than the adapters' own floors do.
  lossPerCall: bps(2),
  // Five such losses a day, of which half can happen at once: what a stolen keeper key can cost in any 24 hours.
  lossBudget: { limit: bps(10), windowSeconds: DAY_SECONDS },
  // Half can be used at once: the whole vault may be placed in one plan, and once more over the day.
  turnoverBudget: { limit: percent(200), windowSeconds: DAY_SECONDS },
  // What the guardian may lose in taking money out of pools, of which half can happen at once: 10 bp of the vault. Pools
  // that hold all that the group `usdt` allows lose 2 bp at the worst that their adapters' floors let through.
  emergencyBudget: { limit: bps(20), windowSeconds: 7 * DAY_SECONDS },
};

/** Together they can hold all but the idle part, and losing any one of them whole leaves 40 % or more. */
export const RELATIVE_CAPS = {
  // Deepest cash and longest record of the three.
  "aave-v3-usdc": percent(60),
  // A third of Aave's size: our own deposit moves its rate and its cash more.
  "compound-v3-usdc": percent(50),
  "savings-usdc": percent(60),
  // Deep and without borrowers, but all of it is Sky's word: the rate, the peg by the PSM, and the way out.
  "sky-susds": percent(50),
  // Pools hold every coin in them. They pay beside lending, not instead of it; what one of them does with a coin that
  // fails is bounded here, and no depositor's exit sells it.
  "curve-3pool": percent(15),
  "uniswap-v3-usdc-usdt": percent(15),
} as const;

/**
 * Aave and Comet lend to much the same borrowers: a run fills both on the same day. 5 % stay outside of them, to pay
 * exits on that day.
 */
export const LENDING_GROUP = { name: "lending", relativeCap: percent(95) } as const;

/**
 * All that leans on USDT, by holding it or by Chainlink's price of it: today that is both pools, so it bounds what hangs on
 * Chainlink's feeds and on a market's price too. A tenth off its peg costs 2 % of the vault at the most.
 */
export const USDT_GROUP = { name: "usdt", relativeCap: percent(20) } as const;

/** All that leans on Sky's stablecoins: savings in USDS, and the 3pool's DAI. 5 % more than savings alone. */
export const DAI_USDS_GROUP = { name: "dai-usds", relativeCap: percent(55) } as const;

export const GROUPS = [LENDING_GROUP, USDT_GROUP, DAI_USDS_GROUP] as const;

const HOUR_SECONDS = 3_600;

/** Chainlink reports USDC / USD and USDT / USD once a day at least, and is given an hour for it. */
const DAILY_FEED_SECONDS = DAY_SECONDS + HOUR_SECONDS;
/** DAI / USD once an hour. */
const HOURLY_FEED_SECONDS = 2 * HOUR_SECONDS;

/** Of a pool filled to its cap of 15 % this is 1.5 bp of the vault: within what one plan may lose. */
const POOL_SLIPPAGE = bps(10);

export const THREE_POOL_TERMS: ThreePoolTerms = {
  slippage: POOL_SLIPPAGE,
  // Two feeds may each be a quarter of a percent behind the market, in opposite directions. Half as much again.
  steadiness: bps(75),
  // DAI, USDC, USDT.
  heartbeatSeconds: [HOURLY_FEED_SECONDS, DAILY_FEED_SECONDS, DAILY_FEED_SECONDS],
};

export const UNISWAP_STABLE_TERMS: UniswapTerms = {
  slippage: POOL_SLIPPAGE,
  // Ten ticks are a tenth of a percent. A narrower range earns more of each trade and is left sooner, and the way to another
  // range costs the pool's fee on half of the position twice.
  halfWidth: 10,
  // To hold a price off for half an hour is to be traded against in 150 blocks.
  windowSeconds: 1_800,
  // A block each twelve seconds.
  leastObservations: 150,
  // Half of the range: what is entered at a pushed price lies in it still when the price is back.
  spotBound: 5,
  // As the 3pool's steadiness, nearer to the feeds' own bounds: the mean has no noise of a single block.
  oracleBound: 60,
  heartbeatSeconds: [DAILY_FEED_SECONDS, DAILY_FEED_SECONDS],
};

/** Of the vault's asset, in the auction of rewards: as the condition has it. */
export const AUCTION_ASSET_HEARTBEAT_SECONDS = DAILY_FEED_SECONDS;

/** Rewards are sold to whoever trades them on. COMP is what Comet pays; Aave's rewards contract pays for USDC nothing now. */
export const REWARD_SALE: SaleTerms = {
  // The feed follows its market by a percent: five above it nobody buys, unless the market has run away.
  premium: percent(105),
  // What is left to who buys a small lot: a percent of the feed's lag, a percent or two for a market's price of it, and gas.
  floor: percent(95),
  // A percent in half an hour or so, and the floor for as long again: a lot is over within half a day.
  durationSeconds: 6 * HOUR_SECONDS,
  // A twentieth of it, of which the buyer lives, pays for the calls of a claim, a release, a beginning and a purchase.
  minimumLot: 1_000n * USDC,
  heartbeatSeconds: HOURLY_FEED_SECONDS,
};

/** Of the networks' two stablecoin pools. */
export const THREE_POOL_GROUPS = [USDT_GROUP.name, DAI_USDS_GROUP.name] as const;
export const UNISWAP_STABLE_GROUPS = [USDT_GROUP.name] as const;

/** What trips the breaker by proof. All of them stop the keeper and entry; exits stay open, so a false trip costs yield. */
export function conditionsOn(usdcFeed: string): readonly ConditionParameters[] {
  return [
    // Ten times what a keeper may lose in a day; the lending venues have never lost as much.
    { id: "share-price-fall", kind: "share-price-fall", bound: percent(1) },
    {
      id: "usdc-oracle",
      kind: "oracle-trouble",
      feed: usdcFeed,
      heartbeatSeconds: DAILY_FEED_SECONDS,
      // 2 %: eight times the feed's deviation threshold. March 2023 passed it by far, no other day since 2021.
      lower: 98_000_000n,
      upper: 102_000_000n,
    },
    // Both curves pass 30 % a year at about 95 to 98 % utilisation, and are under a third of it at the kink. The whole
    // position has to be payable: the vault is small beside each venue.
    {
      id: "aave-v3-usdc-illiquid",
      kind: "aave-v3-illiquid",
      venue: "aave-v3-usdc",
      leastRate: percent(30),
      share: percent(100),
    },
    {
      id: "compound-v3-usdc-illiquid",
      kind: "compound-v3-illiquid",
      venue: "compound-v3-usdc",
      leastRate: percent(30),
      share: percent(100),
    },
    // Of every adapter, those that are added later too.
    { id: "venue-reverting", kind: "venue-reverting" },
  ];
}
