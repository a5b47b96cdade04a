// From what the chain says and what is forecast to the allocation problem: every limit of the vault and of the
// operator as a cap, a floor or a group, with the headroom that keeps a plan from failing by a rounding.
import type { AllocationGroup, AllocationProblem, AllocationVenue, TailRisk } from "../allocate/problem";
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import type { Verdict } from "../risk/assessment";
import { expectedLossApr } from "../risk/scenarios";
import { cashOf } from "../venues/cash";
import { curveCost } from "../venues/curve3pool";
import type { MoveCost } from "../venues/liquidity";
import { impliedModel, type RateModel } from "../venues/rateModel";
import { modelOf } from "../venues/model";
import { skyCostBps } from "../venues/skySavings";
import { uniswapCost } from "../venues/uniswapV3";
import type { Forecast, OperatorLimits, RiskInput, StrategyInput } from "./strategy";
import { TIME_FRAMES, type TimeFrame } from "./timeFrames";

const WAD = 1e18;

/**
 * Share of a cap that plans use. Interest between the snapshot and the block of the plan, and the vault's rounding,
 * must not turn a plan at the cap into a revert.
 */
const CAP_HEADROOM = 0.999;

/** A position above its cap by no more than this grew there by interest: it may stay. Beyond, it has to shrink. */
const CAP_DRIFT = 0.005;

/** Idle under this share of the minimum is put right even if it costs income. */
const IDLE_ALARM = 0.5;

/** A pool's greatest withdrawal is everything if it is what an exit pays but for one part in so many. */
const WHOLE_EXIT = 10_000n;

export interface DecisionProblem {
  /** With the rates that are forecast. */
  readonly forecast: AllocationProblem;
  /** The same with today's rates: what the plan would be worth if nothing changes. */
  readonly today: AllocationProblem;
  /** Limits that today's allocation breaks: reasons to move even at a cost, in words. */
  readonly breaches: readonly string[];
  /** Absent where forecasts say nothing of time frames. */
  readonly frames?: (() => readonly TimeFrame[]) | undefined;
  /** Base of the vault's relative limits, in the asset's unit. */
  readonly base: bigint;
  /** Adapters that the problem leaves alone: unreadable or quarantined. */
  readonly excluded: readonly string[];
  /** Adapters of the problem by venue id. */
  readonly adapters: ReadonlyMap<string, AdapterSnapshot>;
}

/** @returns the id of a venue that has no forecast yet instead of a problem. */
export function problemOf(input: StrategyInput): DecisionProblem | { readonly missing: string } {
  const { snapshot, limits, risk } = input;
  const forecasts = new Map(input.forecasts.map((forecast) => [forecast.venue, forecast]));
  const usd = (assets: bigint): number => (Number(assets) / 10 ** snapshot.assetDecimals) * limits.assetUsd;
  const base = baseOf(snapshot);
  const baseUsd = usd(base);

  const usable = snapshot.adapters.filter(isUsable);
  const excluded = snapshot.adapters.filter((adapter) => !isUsable(adapter));
  const breaches: string[] = [];

  const venues: { forecast: AllocationVenue; today: AllocationVenue }[] = [];
  for (const adapter of usable) {
    const forecast = forecasts.get(adapter.id);
    if (forecast === undefined) return { missing: adapter.id };
    const { model, cash } = rateModelOf(adapter, forecast, { snapshot, limits });
    const verdict = risk?.verdicts.find(({ venue }) => venue === adapter.id);
    const bounds = boundsOf(adapter, { limits, verdict, usd, baseUsd, cashUsd: cash, breaches });
    const lost = expectedLossApr(risk?.scenarios ?? [], adapter.id);
    const venue = { id: adapter.id, ...bounds, ...costOf(adapter, snapshot.assetDecimals), expectedLossApr: lost };
    venues.push({
      today: { ...venue, model },
      forecast: { ...venue, model: impliedModel(model, forecast.apr, 0) },
    });
  }

  const currentUsd = venues.reduce((sum, venue) => sum + venue.today.current, 0);
  const idleUsd = usd(snapshot.idle);
  const minIdle = Math.max(Number(snapshot.minimumIdle) / WAD, limits.minimumIdle) * baseUsd;
  if (idleUsd < minIdle * IDLE_ALARM) breaches.push(`idle is under half of its minimum`);

  const problem = {
    total: currentUsd + idleUsd,
    horizonHours: limits.horizonHours,
    gasUsdPerMove: gasUsd(limits.gasPerMove, snapshot, limits),
    // Room above the vault's minimum for the same reason as at the caps; floors may leave less than it.
    minIdle: Math.max(
      0,
      Math.min(
        minIdle * (2 - CAP_HEADROOM),
        currentUsd + idleUsd - venues.reduce((sum, v) => sum + (v.today.floor ?? 0), 0),
      ),
    ),
    groups: groupsOf(snapshot, { usable, excluded, usd, baseUsd, breaches, venues: venues.map((v) => v.today) }),
    ...tailOf(risk, venues),
  };
  const frameOf = (hours: number): TimeFrame => ({
    hours,
    world: {
      ...problem,
      venues: venues.map(({ today }) => ({
        ...today,
        model: impliedModel(today.model, aprIn(hours, forecasts.get(today.id)), 0),
      })),
    },
  });
  return {
    forecast: { ...problem, venues: venues.map((venue) => venue.forecast) },
    today: { ...problem, venues: venues.map((venue) => venue.today) },
    breaches,
    frames: usable.every(({ id }) => forecasts.get(id)?.frames !== undefined)
      ? () => TIME_FRAMES.map(frameOf)
      : undefined,
    base,
    excluded: excluded.map((adapter) => adapter.id),
    adapters: new Map(usable.map((adapter) => [adapter.id, adapter])),
  };
}

/** What the keeper's risk says of joint shocks, in the allocator's words. */
function tailOf(
  risk: RiskInput | undefined,
  venues: readonly { readonly today: { readonly id: string } }[],
): { readonly tail?: TailRisk } {
  if (risk?.tail === undefined) return {};
  const known = new Set(venues.map(({ today }) => today.id));
  const scenarios = risk.scenarios.map(({ probabilityPerYear, lossShare }) => ({
    probability: probabilityPerYear,
    // What no plan touches is no part of the problem.
    losses: Object.fromEntries(Object.entries(lossShare).filter(([id]) => known.has(id))),
  }));
  return { tail: { ...risk.tail, scenarios } };
}

/** @throws TypeError: asked for where {@link DecisionProblem.frames} is absent. */
function aprIn(hours: number, forecast: Forecast | undefined): number {
  const frame = forecast?.frames?.find((one) => one.hours === hours);
  if (frame === undefined) throw new TypeError(`nothing is forecast for ${hours} h`);
  return frame.apr;
}

/** What relative limits are shares of, in the asset's unit. */
export function baseOf({ accountedAssets, totalAssets }: VaultSnapshot): bigint {
  return accountedAssets < totalAssets ? accountedAssets : totalAssets;
}

/** Price of `gas` units at the highest base fee of the next block and the operator's tip ceiling, USD. */
export function gasUsd(gas: number, snapshot: VaultSnapshot, limits: OperatorLimits): number {
  return ((gas * Number(snapshot.baseFeePerGas) * 1.125) / WAD) * limits.ethUsd;
}

function isUsable(adapter: AdapterSnapshot): boolean {
  return adapter.readable && !adapter.quarantined && adapter.state !== null;
}

/** Rate curve without our position, and what the venue could pay out now, USD. */
function rateModelOf(
  adapter: AdapterSnapshot,
  forecast: Forecast,
  context: { readonly snapshot: VaultSnapshot; readonly limits: OperatorLimits },
): { model: RateModel; cash: number } {
  const unit = 10 ** context.snapshot.assetDecimals / context.limits.assetUsd;
  const state = adapter.state;
  if (state === null) throw new TypeError(`adapter ${adapter.id} has no state`);
  const model = modelOf(adapter, context.snapshot.assetDecimals, forecast.currentApr);
  const cash = cashOf(state);
  return { model, cash: cash === null ? Number.POSITIVE_INFINITY : Number(cash) / unit };
}

/** What a venue charges on a move. Lending and plain savings venues charge nothing. */
function costOf({ state }: AdapterSnapshot, assetDecimals: number): MoveCost {
  switch (state?.kind) {
    case "sky-savings":
      return { costBps: skyCostBps(state), impactBpsPerMillion: 0 };
    case "curve-3pool":
      return curveCost(state, assetDecimals);
    case "uniswap-v3":
      return uniswapCost(state, assetDecimals);
    default:
      return { costBps: 0, impactBpsPerMillion: 0 };
  }
}

/**
 * What a plan can take out, in the asset's unit. A pool says what an exit of everything pays, a little less than the
 * position is worth: that is all of it, and not a rest that cannot leave.
 */
export function payable({ exact, fairValue, exitValue, maxWithdraw }: AdapterSnapshot): bigint {
  return !exact && maxWithdraw * WHOLE_EXIT >= exitValue * (WHOLE_EXIT - 1n) ? fairValue : maxWithdraw;
}

function boundsOf(
  adapter: AdapterSnapshot,
  context: {
    readonly limits: OperatorLimits;
    readonly verdict: Verdict | undefined;
    readonly usd: (assets: bigint) => number;
    readonly baseUsd: number;
    readonly cashUsd: number;
    readonly breaches: string[];
  },
): { current: number; cap: number; floor: number } {
  const { limits, usd, baseUsd, verdict } = context;
  const current = usd(adapter.fairValue);
  const floor = Math.max(0, current - usd(payable(adapter)));
  const relative = Math.min(Number(adapter.relativeCap) / WAD, limits.venueCaps[adapter.id] ?? 1);
  const caps = Math.min(usd(adapter.absoluteCap), relative * baseUsd);
  // Risk says how much there may be; it takes money out only where it says "reduce" (composite.ts has the band between).
  const risked = verdict === undefined ? Infinity : verdict.limit * baseUsd;
  const reduced = verdict?.advice === "reduce" && risked < caps;
  const granted = reduced ? risked : caps;
  const breached = current > granted * (1 + CAP_DRIFT);
  // One that nothing can leave is no reason to move anything else.
  if (breached && floor < current)
    context.breaches.push(`${adapter.id} is above its ${reduced ? `risk limit (${verdict.reason})` : "cap"}`);
  // What only says "do not grow" (risk, the venue's own room, exit liquidity) never forces money out.
  const room = Math.min(
    Math.min(granted, risked) * CAP_HEADROOM,
    current + usd(adapter.maxDeposit),
    limits.maxShareOfVenue * context.cashUsd,
  );
  const cap = breached ? granted * CAP_HEADROOM : Math.max(room, Math.min(current, granted * (1 + CAP_DRIFT)));
  return { current, floor, cap: Math.max(cap, floor) };
}

function groupsOf(
  snapshot: VaultSnapshot,
  context: {
    readonly usable: readonly AdapterSnapshot[];
    readonly excluded: readonly AdapterSnapshot[];
    readonly usd: (assets: bigint) => number;
    readonly baseUsd: number;
    readonly breaches: string[];
    readonly venues: readonly AllocationVenue[];
  },
): AllocationGroup[] {
  return snapshot.groups.flatMap((group, index) => {
    const isMember = (adapter: AdapterSnapshot): boolean => ((adapter.groupMask >> BigInt(index)) & 1n) === 1n;
    const ids = context.usable.filter(isMember).map((adapter) => adapter.id);
    if (ids.length === 0) return [];
    const outside = context.excluded.filter(isMember).reduce((sum, adapter) => sum + context.usd(adapter.fairValue), 0);
    const members = context.venues.filter((venue) => ids.includes(venue.id));
    const current = members.reduce((sum, venue) => sum + venue.current, 0);
    const floor = members.reduce((sum, venue) => sum + (venue.floor ?? 0), 0);
    const granted = Math.max(0, (Number(group.relativeCap) / WAD) * context.baseUsd - outside);
    const breached = current > granted * (1 + CAP_DRIFT);
    if (breached) context.breaches.push(`group ${group.name} is above its cap`);
    const cap = breached
      ? granted * CAP_HEADROOM
      : Math.max(granted * CAP_HEADROOM, Math.min(current, granted * (1 + CAP_DRIFT)));
    return [{ ids, cap: Math.max(cap, floor) }];
  });
}
