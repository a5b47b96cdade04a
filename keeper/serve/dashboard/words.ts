// The page's words for what the keeper and the vault call by a code.
import type { DecisionStatus, PageView, KeeperHealth } from "../../app/view";
import type { BreakerState, VenueKind } from "../../chain/snapshot";
import type { PoolPosition } from "../../venues/poolPosition";
import { percentText } from "./amounts";

/** How a state is to be felt: colour is never the only sign of it, the word stands beside. */
export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

export const VENUE_KIND: Readonly<Record<VenueKind, string>> = {
  "aave-v3": "Aave V3",
  "compound-v3": "Compound V3",
  erc4626: "ERC-4626 savings",
  "sky-savings": "Sky savings",
  "curve-3pool": "Curve 3pool",
  "uniswap-v3": "Uniswap V3 range",
};

export const DECISION_TONE: Readonly<Record<DecisionStatus["state"], Tone>> = {
  planned: "busy",
  simulated: "busy",
  submitted: "busy",
  missed: "warn",
  included: "good",
  final: "good",
  reorged: "warn",
  abandoned: "bad",
  held: "quiet",
  "dry-run": "quiet",
  unplanned: "quiet",
};

export interface Condition {
  readonly tone: Tone;
  readonly word: string;
  readonly meaning: string;
}

export const BREAKER: Readonly<Record<BreakerState, Condition>> = {
  closed: { tone: "good", word: "Closed", meaning: "Normal: deposits, exits and rebalances are open." },
  "guardian-tripped": {
    tone: "bad",
    word: "Tripped by the guardian",
    meaning: "No deposits. The keeper may only move money to idle. Exits stay open.",
  },
  tripped: {
    tone: "bad",
    word: "Tripped by proof",
    meaning: "No deposits until the timelock resets it. The keeper may only move money to idle. Exits stay open.",
  },
};

export const KEEPER: Readonly<Record<KeeperHealth["state"], Condition>> = {
  starting: { tone: "busy", word: "Starting", meaning: "It has not finished its first tick." },
  leading: { tone: "good", word: "Leading", meaning: "It decides and may send." },
  standby: { tone: "quiet", word: "Standby", meaning: "Another instance leads; this one takes over if it stops." },
  "dry-run": { tone: "quiet", word: "Dry run", meaning: "It decides and sends nothing." },
  stopping: { tone: "warn", word: "Stopping", meaning: "It was told to stop." },
};

export function networkText(network: PageView["network"], chainId: number): string {
  switch (network) {
    case "local":
      return `Local chain ${chainId}`;
    case "fork":
      return chainId === 1 ? "Fork of mainnet" : `Fork, chain ${chainId}`;
    case "mainnet":
      return chainId === 1 ? "Ethereum mainnet" : `Chain ${chainId}`;
  }
}

/** Where a transaction can be looked up; null where no public explorer knows it. */
export function explorerUrl(view: PageView, txHash: string): string | null {
  return view.network === "mainnet" && view.chainId === 1 && /^0x[0-9a-f]{64}$/i.test(txHash)
    ? `https://etherscan.io/tx/${txHash}`
    : null;
}

/** A message of the keeper as a sentence of its own: they begin small and end bare. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

export function steadinessWord(steady: boolean): string {
  return steady ? "steady" : "away from fair";
}

const PRICE_PLACES = 5;

/** How a pool of traders stands to a position in it: the first thing, then what is beside it. */
export function marketWords(market: PoolPosition["market"]): string[] {
  const price = (value: number): string => value.toFixed(PRICE_PLACES);
  if (market.kind === "curve-3pool") {
    const { assetShare, virtualPrice } = market;
    return [`${percentText(assetShare, 1)} of the pool is the asset`, `virtual price ${price(virtualPrice)}`];
  }
  const { range, spot, mean, oracle } = market;
  const beside = `mean ${price(mean)}, feeds ${oracle === null ? "silent" : price(oracle)}`;
  if (range === null) return [`no position; price ${price(spot)}`, beside];
  const { low, high, inRange, pairedShare } = range;
  return [
    `${price(spot)} ${inRange ? "in" : "out of"} ${price(low)} … ${price(high)}`,
    inRange ? `${percentText(pairedShare, 0)} in the paired coin` : "earns nothing",
    beside,
  ];
}
