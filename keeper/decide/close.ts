// Everything to idle, as far as the vault lets the keeper: exact venues whole or as far as they have cash, pools as far as
// the loss of leaving them fits the bounds, and what cannot leave by its name with the reason. Pure.
import type { AdapterSnapshot } from "../chain/snapshot";
import { wholeUnits } from "../venues/exact";
import { uniswapCost } from "../venues/uniswapV3";
import { DUST_PER_MOVE, maxLossOf } from "./lossBound";
import { baseOf, gasUsd, payable } from "./problem";
import type { PlanMove, RiskInput, StrategyInput } from "./strategy";

const WAD = 10n ** 18n;

/** A pool's state moves until the plan lands: leaving it may cost so many hundredths more than it would now. */
const LOSS_MARGIN_PERCENT = 130n;
/** Parts of a position that are taken out of a pool when not all of it fits the loss bound. */
const PARTS = 1_000n;

export interface Stay {
  readonly venue: string;
  /** Fair value of what stays, in the asset's unit; zero where it could not be read. */
  readonly assets: bigint;
  readonly why: string;
}

export interface Closing {
  readonly moves: readonly PlanMove[];
  readonly stays: readonly Stay[];
}

/** @param unable Venues that are not to be tried: the simulation of leaving them reverts. */
export function closingOf(input: StrategyInput, unable: NonNullable<RiskInput["closing"]>["unable"]): Closing {
  const { snapshot } = input;
  const moves: PlanMove[] = [];
  const stays: Stay[] = [];
  const pools: AdapterSnapshot[] = [];
  for (const adapter of snapshot.adapters) {
    const { id: venue, fairValue: assets } = adapter;
    const why = unable.find((one) => one.venue === venue)?.why;
    if (adapter.readable && assets === 0n) continue;
    if (adapter.readable && assets < leastUseful(input)) stays.push({ venue, assets, why: NOT_WORTH_IT });
    else if (why !== undefined) stays.push({ venue, assets, why });
    else if (!adapter.readable) moves.push(wholeOf(adapter));
    else if (adapter.exact) leaveExact(adapter, input, { moves, stays });
    else pools.push(adapter);
  }
  leavePools(pools, input, { moves, stays });
  return { moves, stays };
}

/** A venue that cannot be read may still pay: the simulation says. */
function wholeOf({ id: venue, adapter, fairValue }: AdapterSnapshot): PlanMove {
  return { venue, adapter, assets: fairValue > 0n ? -fairValue : -1n, all: true };
}

function leaveExact(
  adapter: AdapterSnapshot,
  input: StrategyInput,
  to: { readonly moves: PlanMove[]; readonly stays: Stay[] },
): void {
  const { id: venue, fairValue, maxWithdraw } = adapter;
  if (maxWithdraw + DUST_PER_MOVE >= fairValue) return void to.moves.push(wholeOf(adapter));
  const assets = maxWithdraw >= leastUseful(input) ? maxWithdraw : 0n;
  if (assets > 0n) to.moves.push({ venue, adapter: adapter.adapter, assets: -assets, all: false });
  const why = maxWithdraw > 0n ? "the venue has no more cash now" : "the venue pays nothing now";
  to.stays.push({ venue, assets: fairValue - assets, why });
}

/** What is worth less than the gas of moving it stays, or a venue's trickle of cash would be followed block by block. */
function leastUseful({ snapshot, limits }: StrategyInput): bigint {
  const usd = gasUsd(limits.gasPerMove, snapshot, limits);
  return 1n + BigInt(Math.ceil((usd / limits.assetUsd) * 10 ** snapshot.assetDecimals));
}

const NOT_WORTH_IT = "worth less than the gas of leaving it";

/** Cheapest exits first, until what they may lose together is what the plan and the loss budget bear. */
function leavePools(
  pools: readonly AdapterSnapshot[],
  input: StrategyInput,
  to: { readonly moves: PlanMove[]; readonly stays: Stay[] },
): void {
  const { snapshot } = input;
  const base = baseOf(snapshot);
  const budget = (snapshot.lossBudget.available * base) / WAD;
  const bound = maxLossOf(input, base, 0);
  let left = (bound < budget ? bound : budget) - DUST_PER_MOVE * BigInt(snapshot.adapters.length);
  const priced = pools
    .map((adapter) => ({ adapter, loss: exitLoss(adapter, input) }))
    .sort((a, b) => Number(a.loss * b.adapter.fairValue - b.loss * a.adapter.fairValue));
  for (const { adapter, loss } of priced) {
    const { id: venue, fairValue, maxWithdraw } = adapter;
    if (maxWithdraw === 0n) {
      to.stays.push({
        venue,
        assets: fairValue,
        why: "its pool's price is off the feeds', so its adapter lets nothing out",
      });
      continue;
    }
    const all = payable(adapter) === fairValue;
    if (all && loss <= left) {
      to.moves.push(wholeOf(adapter));
      left -= loss;
      continue;
    }
    // What leaving loses grows at most in proportion to what leaves.
    const parts = loss <= 0n ? PARTS : least(PARTS, left > 0n ? (left * PARTS) / loss : 0n);
    const assets = (maxWithdraw * least(parts, all ? PARTS - 1n : PARTS)) / PARTS;
    if (assets >= leastUseful(input)) {
      to.moves.push({ venue, adapter: adapter.adapter, assets: -assets, all: false });
      left -= (loss * parts) / PARTS;
    }
    const whole = parts === PARTS;
    const why = whole ? "its pool pays no more now" : "leaving it now would lose more than the bounds allow";
    to.stays.push({ venue, assets: fairValue - (assets >= leastUseful(input) ? assets : 0n), why });
  }
}

/**
 * What leaving the whole position is expected to lose against fair value, with a margin; never below zero. A range's exit
 * value leaves out how far its own sale pushes the price.
 */
function exitLoss({ state, fairValue, exitValue }: AdapterSnapshot, { snapshot }: StrategyInput): bigint {
  const seen = fairValue > exitValue ? fairValue - exitValue : 0n;
  const pushed =
    state?.kind === "uniswap-v3"
      ? (uniswapCost(state, snapshot.assetDecimals).impactBpsPerMillion *
          wholeUnits(fairValue, snapshot.assetDecimals)) /
        1e10
      : 0;
  return ((seen + BigInt(Math.ceil(Number(fairValue) * pushed))) * LOSS_MARGIN_PERCENT) / 100n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
