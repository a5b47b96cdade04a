// The strategy that the keeper runs: allocate on the forecast, then ask whether moving pays. Pure and deterministic:
// the same input gives the same plan, byte for byte, which is what `tiller replay` rests on.
import type { AdapterSnapshot } from "../chain/snapshot";
import { minimumOf } from "../venues/minimum";
import { choose, cooldownLeft, type Candidate, type Saving } from "./choice";
import { closingOf, type Closing } from "./close";
import type { Target } from "./income";
import { DUST_PER_MOVE, maxLossOf } from "./lossBound";
import { baseOf, gasUsd, problemOf, type DecisionProblem } from "./problem";
import type { Hold, HoldCode, Plan, PlanMove, Strategy, StrategyInput } from "./strategy";
import { frameGains, type FrameGain } from "./timeFrames";

const WAD = 10n ** 18n;

export const decide: Strategy = (input) => {
  const closed = noKeeperHere(input) ?? keepersOwnBreaker(input);
  if (closed !== null) return closed;
  const obstacle = obstacleOf(input);
  if (obstacle !== null) return obstacle;

  const problem = problemOf(input);
  if ("missing" in problem) {
    return hold("no-forecast", `no rate of ${problem.missing} has been observed yet`);
  }
  const { snapshot, limits } = input;
  const choice = choose<PlanMove>(problem, {
    minGainUsd: limits.minGainUsd,
    noTradeBandBps: limits.noTradeBandBps,
    turnoverUsd: turnoverUsd(input, problem),
    legsOf: (target) => movesOf(target, input, problem),
    costUsd: (moves) => gasUsd(limits.gasPerPlan + limits.gasPerMove * moves.length, snapshot, limits),
    saving: (moves) => savingOf(moves, input),
  });
  switch (choice.kind) {
    case "move":
      return planOf(choice, input, problem);
    case "gain-too-small": {
      const { candidate, moved, needed } = choice;
      const numbers = numbersOf(candidate, input);
      const frames = againstText(frameGains(candidate.target, problem.frames?.() ?? []), input);
      return hold(
        "gain-too-small",
        `the best move of ${usd(moved)} gains ${numbers}${frames}; it has to gain ${usd(needed)}`,
      );
    }
    case "frames-disagree": {
      const { candidate, frames, needed } = choice;
      const numbers = numbersOf(candidate, input);
      return hold(
        "frames-disagree",
        `${describe(candidate.legs, input)} gains ${numbers}${againstText(frames, input)}: less than ${usd(needed)} would be left`,
      );
    }
    case "cheaper-later":
      return hold("gas-cheaper-later", cheaperText(choice, input));
    case "no-funds":
      return hold("no-funds", "the vault has nothing to allocate");
    case "already-best":
      return hold("already-best", `the allocation is already the best for the next ${limits.horizonHours} h`);
    case "budget-spent":
      return hold("budget-spent", "the vault's turnover budget is spent for now");
    case "less-than-a-unit":
      return hold("already-best", "what the best allocation would move is less than a unit of the asset");
  }
};

function noKeeperHere({ snapshot }: StrategyInput): Hold | null {
  if (!snapshot.opened) return hold("not-open", "the vault is not open yet");
  if (!snapshot.isKeeper) return hold("not-a-keeper", `${snapshot.keeper} is not a keeper of this vault`);
  return null;
}

/** Tripped, the keeper does nothing but to take positions to idle where it was told to; that may be while the vault is too. */
function keepersOwnBreaker(input: StrategyInput): Plan | Hold | null {
  const { risk } = input;
  if (risk === undefined) return null;
  const tripped = risk.tripped.map(({ cause, detail }) => `${cause} (${detail})`).join(", ");
  if (risk.closing === null) {
    return tripped === "" ? null : hold("keeper-breaker-tripped", `the keeper's breaker has tripped: ${tripped}`);
  }
  const closing = closingOf(input, risk.closing.unable);
  const because = `emergency close, ${tripped}`;
  if (closing.moves.length === 0) {
    return hold("keeper-breaker-tripped", `${because}: nothing more can go to idle${staysText(closing, input)}`);
  }
  return tooDear(input) ?? closePlan(closing, input, because);
}

function closePlan(closing: Closing, input: StrategyInput, because: string): Plan {
  const { snapshot, limits } = input;
  const { moves } = closing;
  return {
    action: "rebalance",
    reason: `${because}: ${describe(moves, input)}${staysText(closing, input)}`,
    moves,
    nonce: snapshot.nextNonce,
    deadline: snapshot.timestamp + limits.deadlineSeconds,
    maxLoss: maxLossOf(input, baseOf(snapshot), moves.length),
    expectedGainUsd: 0,
    costUsd: rounded(gasUsd(limits.gasPerPlan + limits.gasPerMove * moves.length, snapshot, limits)),
  };
}

function staysText({ stays }: Closing, { snapshot }: StrategyInput): string {
  const scale = 10 ** snapshot.assetDecimals;
  const parts = stays.map(({ venue, assets, why }) => {
    return `${assets > 0n ? `${grouped(Number(assets) / scale)} in ` : ""}${venue} (${why})`;
  });
  return parts.length === 0 ? "" : `; stays: ${parts.join(", ")}`;
}

/** What stands in the way before any arithmetic. */
function obstacleOf(input: StrategyInput): Hold | null {
  const { snapshot, limits, lastRebalanceAt } = input;
  if (snapshot.breaker !== "closed") {
    return hold("breaker-tripped", `the vault's breaker is ${snapshot.breaker}: only moves to idle are allowed`);
  }
  const dear = tooDear(input);
  if (dear !== null) return dear;
  const left = cooldownLeft(snapshot.timestamp, lastRebalanceAt, limits.cooldownSeconds);
  if (left > 0) {
    return hold(
      "cooldown",
      `the last rebalance is ${limits.cooldownSeconds - left} s old, the cooldown has ${left} s to run`,
    );
  }
  return null;
}

function tooDear({ snapshot, limits }: StrategyInput): Hold | null {
  if (snapshot.baseFeePerGas <= limits.maxFeePerGas) return null;
  return hold(
    "gas-too-dear",
    `base fee ${gwei(snapshot.baseFeePerGas)} gwei is over the ceiling of ${gwei(limits.maxFeePerGas)}`,
  );
}

/** What the vault's turnover budget lets into venues now. */
function turnoverUsd({ snapshot, limits }: StrategyInput, { base }: DecisionProblem): number {
  const unit = 10 ** snapshot.assetDecimals / limits.assetUsd;
  return Number((snapshot.turnoverBudget.available * base) / WAD) / unit;
}

function numbersOf(candidate: Candidate<PlanMove>, { limits }: StrategyInput): string {
  return (
    `${usd(candidate.forecastGain)} over ${limits.horizonHours} h as forecast, ` +
    `${usd(candidate.todayGain)} at today's rates, after ${usd(candidate.cost)} of gas`
  );
}

/** What of a plan's gas is likely saved by waiting for the fee that the last day came down to. */
function savingOf(moves: readonly PlanMove[], { snapshot, limits, gas }: StrategyInput): Saving | null {
  if (gas === undefined || gas.likelyBaseFee >= snapshot.baseFeePerGas) return null;
  const ofUsd = gasUsd(limits.gasPerPlan + limits.gasPerMove * moves.length, snapshot, limits);
  const part = 1 - Number(gas.likelyBaseFee) / Number(snapshot.baseFeePerGas);
  return { usd: ofUsd * part, ofUsd, waitSeconds: gas.waitSeconds };
}

function cheaperText(
  {
    candidate,
    saving,
    lost,
  }: { readonly candidate: Candidate<PlanMove>; readonly saving: Saving; readonly lost: number },
  input: StrategyInput,
): string {
  const { gas, snapshot } = input;
  const hours = ((gas?.withinSeconds ?? 0) / 3_600).toFixed(1);
  return (
    `${describe(candidate.legs, input)} gains ${numbersOf(candidate, input)}, but gas likely falls from ` +
    `${gwei(snapshot.baseFeePerGas)} to ${gwei(gas?.likelyBaseFee ?? 0n)} gwei within ${hours} h: ` +
    `saves ${usd(saving.usd)}, while waiting ${Math.round(saving.waitSeconds / 60)} min loses ${usd(lost)}`
  );
}

/** Time frames in which a move loses, in words; empty where none says so. */
function againstText(frames: readonly FrameGain[], { limits }: StrategyInput): string {
  // The horizon's own gain is named before.
  const other = frames.filter(({ hours }) => hours !== limits.horizonHours);
  const against = other.filter(({ gain }) => gain < 0).map(({ hours, gain }) => `${usd(-gain)} over ${hours} h`);
  return against.length === 0 ? "" : `, though by the rates of shorter or longer times it loses ${against.join(", ")}`;
}

function planOf(
  { candidate, frames }: { readonly candidate: Candidate<PlanMove>; readonly frames: readonly FrameGain[] },
  input: StrategyInput,
  problem: DecisionProblem,
): Plan {
  const { snapshot, limits } = input;
  const { legs: moves, cost, gain } = candidate;
  const because = problem.breaches.length > 0 ? `${problem.breaches.join(" and ")}; ` : "";
  const part =
    candidate.share < 1
      ? `; ${(candidate.share * 100).toFixed(0)} % of the way, as far as the turnover budget goes`
      : "";
  return {
    action: "rebalance",
    reason: `${because}${describe(moves, input)}: gains ${numbersOf(candidate, input)}${againstText(frames, input)}${part}`,
    moves,
    nonce: snapshot.nextNonce,
    deadline: snapshot.timestamp + limits.deadlineSeconds,
    maxLoss: maxLossOf(input, problem.base, moves.length),
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
  const { assetDecimals } = snapshot;
  const { moveToleranceBps: toleranceBps } = limits;
  return [...out, ...affordable].map(({ adapter, ...leg }) => {
    const minimum = toleranceBps === undefined ? 0n : minimumOf(adapter, leg, { assetDecimals, toleranceBps });
    return { ...leg, adapter: adapter.adapter, minimum };
  });
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
