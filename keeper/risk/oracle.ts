// Oracle risk: how old each price is beside its heartbeat, how far it is from par, how far two sources of one price are
// apart, and where there is only one. Of the vault's own feeds: those that its breaker's conditions and its pools' adapters
// ask. What a lending protocol asks for its collateral is in the scorecard.
import type { AdapterSnapshot } from "../chain/snapshot";
import { oneDecimal, share } from "./scorecard";

/** One feed that the vault leans on, as it was read at a block. */
export interface FeedState {
  /** In the feed's own words, for example `usdc-usd`. */
  readonly subject: string;
  readonly feed: string;
  /** Ids of the venues whose value or moves hang on it. */
  readonly venues: readonly string[];
  /** Whether it is the price of the vault's own asset. */
  readonly ofAsset: boolean;
  /** Dollars for one; null: it could not be read, or its answer is no price. */
  readonly price: number | null;
  readonly ageSeconds: number | null;
  /** After so long its answer is stale, as the vault has it. */
  readonly heartbeatSeconds: number;
}

export interface VenueOracle {
  /** The feeds that it hangs on besides the asset's. */
  readonly feeds: readonly string[];
  /** What is wrong with the worst of them; null: nothing. */
  readonly trouble: string | null;
  /** Furthest of two sources of one price, as a fraction; null where there is one source only, or none. */
  readonly deviation: number | null;
  readonly singleSource: boolean;
  /** 0 to 100. */
  readonly score: number;
}

/** Two sources that are this far apart disagree about the price: six times a stablecoin feed's deviation threshold. */
const FULL_DEVIATION = 0.015;
/** A price that nobody else confirms is taken for so much. */
const SINGLE_SOURCE = 75;
/** Age beside the heartbeat from which a feed is late. */
const LATE = 0.9;
const LATE_SCORE = 60;
const LN_TICK = Math.log(1.0001);

/** @returns what is wrong with a feed, in words; null: nothing. `depeg` in basis points. */
export function feedTrouble(feed: FeedState, depegBps: number): string | null {
  const { subject, price, ageSeconds, heartbeatSeconds } = feed;
  if (price === null || ageSeconds === null) return `${subject} cannot be read or gives no price`;
  if (ageSeconds > heartbeatSeconds) return `${subject} is ${ageSeconds} s old, over its ${heartbeatSeconds} s`;
  const off = Math.abs(price - 1) * 1e4;
  return off > depegBps ? `${subject} is at ${price.toFixed(4)}, over ${depegBps} bp from par` : null;
}

/**
 * @param feeds All that the vault leans on.
 * @param pools Every adapter: a pool's mean price is a second source of the price of its pair.
 */
export function venueOracle(
  adapter: AdapterSnapshot,
  context: {
    readonly feeds: readonly FeedState[];
    readonly pools: readonly AdapterSnapshot[];
    readonly assetDecimals: number;
    readonly depegBps: number;
  },
): VenueOracle {
  const { feeds, depegBps } = context;
  const own = feeds.filter((feed) => feed.venues.includes(adapter.id) && !feed.ofAsset);
  // The asset's own price hits every venue alike and moves nothing between them: that is the breaker's (breaker.ts).
  const asked = feeds.filter((feed) => feed.venues.includes(adapter.id));
  const trouble = asked.map((feed) => feedTrouble(feed, depegBps)).find((text) => text !== null) ?? null;
  const deviations = own.flatMap((feed) => deviationOf(feed, context) ?? []);
  const deviation = deviations.length === 0 ? null : Math.max(...deviations);
  // Two sources confirm each other only where every feed has one beside it.
  const singleSource = own.length > 0 && deviations.length < own.length;
  const isLate = asked.some(({ ageSeconds, heartbeatSeconds }) => (ageSeconds ?? 0) > LATE * heartbeatSeconds);
  const agreement = deviation === null ? 100 : 100 * (1 - share(deviation / FULL_DEVIATION));
  const score = Math.min(agreement, singleSource ? SINGLE_SOURCE : 100, isLate ? LATE_SCORE : 100);
  return {
    feeds: own.map(({ subject }) => subject),
    trouble,
    deviation,
    singleSource,
    score: trouble === null ? oneDecimal(score) : 0,
  };
}

/** Between a coin's feed over the asset's, and the mean price of a pool of the two; null where there is no such pool. */
function deviationOf(
  feed: FeedState,
  context: {
    readonly feeds: readonly FeedState[];
    readonly pools: readonly AdapterSnapshot[];
    readonly assetDecimals: number;
  },
): number | null {
  const asset = context.feeds.find(({ ofAsset }) => ofAsset);
  if (feed.price === null || asset?.price == null) return null;
  for (const { id, state } of context.pools) {
    if (state?.kind !== "uniswap-v3" || !feed.venues.includes(id)) continue;
    const decimals = state.assetFirst
      ? state.pairedDecimals - context.assetDecimals
      : context.assetDecimals - state.pairedDecimals;
    // Of token0 in token1, whole units of both.
    const price = Math.exp(state.meanTick * LN_TICK) / 10 ** decimals;
    const pairedInAsset = state.assetFirst ? 1 / price : price;
    return Math.abs(pairedInAsset / (feed.price / asset.price) - 1);
  }
  return null;
}
