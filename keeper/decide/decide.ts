// The strategy that the keeper runs: allocate on the forecast, then ask whether moving pays. Pure and deterministic:
// the same input gives the same plan, byte for byte, which is what `tiller replay` rests on.
import { allocate } from "../allocate/allocate";
import type { AllocationProblem } from "../allocate/problem";
import type { AdapterSnapshot } from "../chain/snapshot";
import { minimumOf } from "../venues/minimum";
import { supplyApr } from "../venues/rateModel";
import { gasUsd, problemOf, type DecisionProblem } from "./problem";
import type { Hold, HoldCode, Plan, PlanMove, Strategy, StrategyInput } from "./strategy";

const WAD = 10n ** 18n;
const BPS = 10_000n;
const HOURS_PER_YEAR = 8760;

/** Rounding that a lending venue may keep on one move, in the asset's unit; the loss bound leaves room for it. */
const DUST_PER_MOVE = 4n;

/** Target amounts by venue id, USD. */
type Target = ReadonlyMap<string, number>;

export const decide: Strategy = (input) => {
  const obstacle = obstacleOf(input);
  if (obstacle !== null) return obstacle;

  const problem = problemOf(input);
  if ("missing" in problem) {
    return hold("no-forecast", `no rate of ${problem.missing} has been observed yet`);
  }
  if (problem.forecast.total <= 0) return hold("no-funds", "the vault has nothing to allocate");

  // The forecast may be wrong, and that rates stay as they are may be wrong too. Of the best allocations for either
  // world, the one whose gain in the less friendly world is the greater.
  const candidates = [problem.forecast, problem.today].flatMap((world) => {
    const answer = allocate(world);
    return answer.moves.length === 0 ? [] : [candidateOf(new Map(Object.entries(answer.allocation)), input, problem)];
  });
  const [first, second] = candidates;
  if (first === undefined) {
    return hold("already-best", `the allocation is already the best for the next ${input.limits.horizonHours} h`);
  }
  const best = second !== undefined && second.gain > first.gain ? second : first;
  if (best.share <= 0) return hold("budget-spent", "the vault's turnover budget is spent for now");
  return planOrHold(best, input, problem);
};

/** An allocation worth going to, as far as the turnover budget goes, and what that gains over the horizon, USD. */
interface Candidate {
  readonly target: Target;
  /** Part of the way that the turnover budget pays for; not above 1. */
  readonly share: number;
  readonly moves: readonly PlanMove[];
  readonly cost: number;
  readonly forecastGain: number;
  readonly todayGain: number;
  /** The smaller of the two. */
  readonly gain: number;
}

function candidateOf(wanted: Target, input: StrategyInput, problem: DecisionProblem): Candidate {
  const { snapshot, limits } = input;
  const share = affordableShare(wanted, input, problem);
  const target = share < 1 ? towards(wanted, problem.forecast, share) : wanted;
  const moves = share > 0 ? movesOf(target, input, problem) : [];
  const cost = gasUsd(limits.gasPerPlan + limits.gasPerMove * moves.length, snapshot, limits);
  const gainIn = (world: AllocationProblem): number =>
    ((income(world, target) - income(world)) * limits.horizonHours) / HOURS_PER_YEAR - cost;
  const forecastGain = gainIn(problem.forecast);
  const todayGain = gainIn(problem.today);
  return { target, share, moves, cost, forecastGain, todayGain, gain: Math.min(forecastGain, todayGain) };
}

/** What stands in the way before any arithmetic. */
function obstacleOf(input: StrategyInput): Hold | null {
  const { snapshot, limits, lastRebalanceAt } = input;
  if (!snapshot.opened) return hold("not-open", "the vault is not open yet");
  if (!snapshot.isKeeper) return hold("not-a-keeper", `${snapshot.keeper} is not a keeper of this vault`);
  if (snapshot.breaker !== "closed") {
    return hold("breaker-tripped", `the vault's breaker is ${snapshot.breaker}: only moves to idle are allowed`);
  }
  if (snapshot.baseFeePerGas > limits.maxFeePerGas) {
    return hold(
      "gas-too-dear",
      `base fee ${gwei(snapshot.baseFeePerGas)} gwei is over the ceiling of ${gwei(limits.maxFeePerGas)}`,
    );
  }
  if (lastRebalanceAt !== null && snapshot.timestamp < lastRebalanceAt + limits.cooldownSeconds) {
    const left = lastRebalanceAt + limits.cooldownSeconds - snapshot.timestamp;
    return hold(
      "cooldown",
      `the last rebalance is ${limits.cooldownSeconds - left} s old, the cooldown has ${left} s to run`,
    );
  }
  return null;
}

/** The largest share of the way to `best` that the turnover budget pays for. */
function affordableShare(best: Target, input: StrategyInput, problem: DecisionProblem): number {
  const { snapshot, limits } = input;
  const unit = 10 ** snapshot.assetDecimals / limits.assetUsd;
  const inflow = problem.forecast.venues.reduce((sum, v) => sum + Math.max(0, (best.get(v.id) ?? 0) - v.current), 0);
  const budget = Number((snapshot.turnoverBudget.available * problem.base) / WAD) / unit;
  // A thousandth less than the budget: it is a share of an amount that moves until the plan lands.
  return inflow <= budget * 0.999 ? 1 : Math.max(0, (budget * 0.999) / inflow);
}

function towards(best: Target, problem: AllocationProblem, share: number): Target {
  return new Map(problem.venues.map((v) => [v.id, v.current + share * ((best.get(v.id) ?? 0) - v.current)]));
}

function planOrHold(candidate: Candidate, input: StrategyInput, problem: DecisionProblem): Plan | Hold {
  const { snapshot, limits } = input;
  const { target, moves, cost, gain } = candidate;
  if (moves.length === 0)
    return hold("already-best", "what the best allocation would move is less than a unit of the asset");

  const moved = movedUsd(target, problem.forecast);
  const needed = Math.max(limits.minGainUsd, (moved * limits.noTradeBandBps) / 1e4);
  const numbers =
    `${usd(candidate.forecastGain)} over ${limits.horizonHours} h as forecast, ` +
    `${usd(candidate.todayGain)} at today's rates, after ${usd(cost)} of gas`;
  if (problem.breaches.length === 0 && gain < needed) {
    return hold("gain-too-small", `the best move of ${usd(moved)} gains ${numbers}; it has to gain ${usd(needed)}`);
  }

  const lossBps = BigInt(Math.floor(limits.maxLossBps * 100));
  const own = (problem.base * lossBps) / (BPS * 100n);
  const vaults = (problem.base * snapshot.lossPerCall) / WAD;
  const because = problem.breaches.length > 0 ? `${problem.breaches.join(" and ")}; ` : "";
  const part =
    candidate.share < 1
      ? `; ${(candidate.share * 100).toFixed(0)} % of the way, as far as the turnover budget goes`
      : "";
  return {
    action: "rebalance",
    reason: `${because}${describe(moves, input)}: gains ${numbers}${part}`,
    moves,
    nonce: snapshot.nextNonce,
    deadline: snapshot.timestamp + limits.deadlineSeconds,
    maxLoss: max(own < vaults ? own : vaults, DUST_PER_MOVE * BigInt(moves.length)),
    expectedGainUsd: rounded(gain),
    costUsd: rounded(cost),
  };
}

type Leg = Omit<PlanMove, "adapter" | "minimum"> & { readonly adapter: AdapterSnapshot };

/** Integer legs, withdrawals first; what goes in never exceeds what is there above the minimum idle. */
function movesOf(target: Target, input: StrategyInput, problem: DecisionProblem): PlanMove[] {
  const { snapshot, limits } = input;
  const unit = 10 ** snapshot.assetDecimals / limits.assetUsd;
  const out: Leg[] = [];
  const into: Leg[] = [];
  for (const venue of problem.forecast.venues) {
    const adapter = problem.adapters.get(venue.id);
    const wanted = target.get(venue.id) ?? 0;
    if (adapter === undefined || wanted === venue.current) continue;
    const leg = { venue: venue.id, adapter };
    if (wanted < venue.current) {
      const all = wanted * unit < 1 && adapter.maxWithdraw >= adapter.fairValue;
      const assets = all ? adapter.fairValue : min(toUnits((venue.current - wanted) * unit), adapter.maxWithdraw);
      if (assets > 0n) out.push({ ...leg, assets: -assets, all });
    } else {
      const assets = min(toUnits((wanted - venue.current) * unit), adapter.maxDeposit);
      if (assets > 0n) into.push({ ...leg, assets, all: false });
    }
  }
  // A venue may pay a unit or two less than its fair value when it is emptied.
  const released = out.reduce((sum, move) => sum - move.assets, 0n) - DUST_PER_MOVE * BigInt(out.length);
  const kept = toUnits(problem.forecast.minIdle * unit);
  let spare = snapshot.idle + released - kept;
  const affordable = into.flatMap((move) => {
    const assets = min(move.assets, max(spare, 0n));
    spare -= assets;
    return assets > 0n ? [{ ...move, assets }] : [];
  });
  const terms = { assetDecimals: snapshot.assetDecimals, toleranceBps: limits.moveToleranceBps };
  return [...out, ...affordable].map(({ adapter, ...leg }) => ({
    ...{ ...leg, adapter: adapter.adapter, minimum: minimumOf(adapter, leg, terms) },
  }));
}

/** Σ x·apr(x), USD a year; without a target, of what is held now. */
function income(problem: AllocationProblem, target?: Target): number {
  return problem.venues.reduce((sum, venue) => {
    const amount = target?.get(venue.id) ?? venue.current;
    return sum + (amount > 0 ? amount * (supplyApr(venue.model, amount) - venue.expectedLossApr) : 0);
  }, 0);
}

function movedUsd(target: Target, problem: AllocationProblem): number {
  const into = problem.venues.reduce((sum, v) => sum + Math.max(0, (target.get(v.id) ?? 0) - v.current), 0);
  const out = problem.venues.reduce((sum, v) => sum + Math.max(0, v.current - (target.get(v.id) ?? 0)), 0);
  return Math.max(into, out);
}

function describe(moves: readonly PlanMove[], input: StrategyInput): string {
  const scale = 10 ** input.snapshot.assetDecimals;
  return moves
    .map((move) => {
      const text = grouped(Math.abs(Number(move.assets)) / scale);
      return move.assets > 0n ? `${text} into ${move.venue}` : `${move.all ? "all " : ""}${text} out of ${move.venue}`;
    })
    .join(", ");
}

function hold(code: HoldCode, reason: string): Hold {
  return { action: "hold", code, reason };
}

function usd(amount: number): string {
  return `${grouped(amount)} USD`;
}

/** Two decimals and commas, by hand: a locale library may differ from machine to machine, a record may not. */
function grouped(amount: number): string {
  return amount.toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function gwei(wei: bigint): string {
  return (Number(wei) / 1e9).toFixed(3);
}

/** Cents are enough for a person, and a record should not hold digits that mean nothing. */
function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}

function toUnits(amount: number): bigint {
  return BigInt(Math.floor(Math.max(0, amount)));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
