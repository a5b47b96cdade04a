// Limits that are the same on every network, because they follow from the kinds of venue and not from the place.
import { ZeroAddress } from "ethers";
import { bps, DAY_SECONDS, percent, type ConditionParameters, type NetworkParameters } from "./network";

type CommonLimits = Omit<NetworkParameters["limits"], "depositCap" | "maxRate">;

export const COMMON_LIMITS: CommonLimits = {
  // No fee while the vault proves itself. Raising one goes through the timelock.
  managementFee: 0n,
  performanceFee: 0n,
  feeRecipient: ZeroAddress,
  // Ordinary exits of a day are paid without touching a venue; costs a depositor some 0.1 % of the yield.
  minimumIdle: percent(2),
  // Lending and savings venues give back what they were given but for one or two units a move. 2 bp leaves room for
  // that in a vault of a few hundredths of a dollar, and for an ERC-4626 venue that rounds by its share price.
  lossPerCall: bps(2),
  // Five such losses a day, of which half can happen at once: what a stolen keeper key can cost in any 24 hours.
  lossBudget: { limit: bps(10), windowSeconds: DAY_SECONDS },
  // Half can be used at once: the whole vault may be placed in one plan, and once more over the day.
  turnoverBudget: { limit: percent(200), windowSeconds: DAY_SECONDS },
  // What the guardian may lose in taking money out of pools, of which half can happen at once. No venue is a pool yet.
  emergencyBudget: { limit: percent(2), windowSeconds: 7 * DAY_SECONDS },
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
} as const;

/**
 * Aave and Comet lend to much the same borrowers: a run fills both on the same day. 5 % stay outside of them, to pay
 * exits on that day.
 */
export const LENDING_GROUP = { name: "lending", relativeCap: percent(95) } as const;

const HOUR_SECONDS = 3_600;

/** What trips the breaker by proof. All of them stop the keeper and entry; exits stay open, so a false trip costs yield. */
export function conditionsOn(usdcFeed: string): readonly ConditionParameters[] {
  return [
    // Ten times what a keeper may lose in a day; the lending venues have never lost as much.
    { id: "share-price-fall", kind: "share-price-fall", bound: percent(1) },
    {
      id: "usdc-oracle",
      kind: "oracle-trouble",
      feed: usdcFeed,
      // Chainlink reports USDC / USD once a day at least, and is given an hour for it.
      heartbeatSeconds: DAY_SECONDS + HOUR_SECONDS,
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
