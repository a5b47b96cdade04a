// Liquidity depth: what of our positions could leave now, and how long the rest would take at the pace at which cash has
// come into each venue lately. Cash of a lending venue is what is supplied and not lent; it moves by others' deposits and
// withdrawals, borrowing and repaying. What we moved ourselves is taken out of it.
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import { cashOf, suppliedOf } from "../venues/cash";
import { oneDecimal, share } from "./scorecard";

/** What was observed of a venue's cash, in the asset's unit. */
export interface CashPoint {
  /** Unix seconds. */
  readonly at: number;
  readonly cash: number;
  /** What is lent out. */
  readonly debt: number;
  /** Fair value of our own position. */
  readonly ours: number;
}

/** Pace of a venue's cash over the time that was looked at, in the asset's unit a second. */
export interface CashPace {
  readonly seconds: number;
  /** Others' deposits and repayments, as far as cash grew between two observations. */
  readonly inflow: number;
  /** Others' withdrawals and borrowing. */
  readonly outflow: number;
  /** Debt paid back: of what comes in, the part that no depositor can take away again at once. */
  readonly repaid: number;
}

export interface VenueLiquidity {
  readonly position: bigint;
  /** What the venue would pay us now. */
  readonly now: bigint;
  /** What it could pay anybody now; null: it does not say. */
  readonly cash: bigint | null;
  readonly pace: CashPace | null;
  /** Until the whole position could have left, if all that comes in were paid to us. Null: at no pace that was seen. */
  readonly secondsIfFirst: number | null;
  /** The same if what comes in is shared out by positions among all who supply. */
  readonly secondsIfShared: number | null;
  /** 0 to 100. */
  readonly score: number;
}

export interface VaultLiquidity {
  readonly total: bigint;
  /** Idle, and what all venues would pay now. */
  readonly now: bigint;
  /** Until everything could have left, of the slowest venue by `secondsIfShared`. Null as there. */
  readonly seconds: number | null;
}

/** Without a position a venue is judged by what it could pay of one of this share of the vault. */
const REFERENCE_SHARE = 0.1;
/** Cash over the position at which liquidity is no worry: the position is a quarter of it, or less. */
const FULL_COVERAGE = 4;
/** A venue that does not say what it could pay, while we hold nothing there. */
const UNTOLD = 50;
/** Of a pool whose adapter lets nothing out. */
const SHUT = 0;

/** @param points Oldest first. @returns null where fewer than two were made. */
export function paceOf(points: readonly CashPoint[]): CashPace | null {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  let [inflow, outflow, repaid] = [0, 0, 0];
  for (let k = 1; k < points.length; k += 1) {
    const [before, now] = [points[k - 1], points[k]];
    if (before === undefined || now === undefined) continue;
    const others = now.cash - before.cash - (now.ours - before.ours);
    if (others > 0) inflow += others;
    else outflow -= others;
    repaid += Math.max(0, before.debt - now.debt);
  }
  const seconds = last.at - first.at;
  return { seconds, inflow: inflow / seconds, outflow: outflow / seconds, repaid: repaid / seconds };
}

export function venueLiquidity(
  adapter: AdapterSnapshot,
  context: { readonly snapshot: VaultSnapshot; readonly points: readonly CashPoint[] },
): VenueLiquidity {
  const position = adapter.fairValue;
  const now = least(adapter.maxWithdraw, position);
  const pace = paceOf(context.points);
  const rest = Number(position - now);
  const { state } = adapter;
  const cash = state === null ? 0n : cashOf(state);
  const supplied = Number((state === null ? null : suppliedOf(state)) ?? 0n);
  // An exact venue pays all or what it has; what a pool pays less than fair value is the price of leaving, not a rest.
  const isWhole = adapter.exact ? rest <= DUST : now > 0n || position === 0n;
  const waiting = (inflow: number): number | null => (isWhole ? 0 : inflow > 0 ? Math.ceil(rest / inflow) : null);
  const ownShare = supplied > 0 ? share(Number(position) / supplied) : 1;
  return {
    position,
    now,
    cash,
    pace,
    secondsIfFirst: waiting(pace?.inflow ?? 0),
    secondsIfShared: waiting((pace?.inflow ?? 0) * ownShare),
    score: oneDecimal(scoreOf(adapter, context.snapshot, cash)),
  };
}

export function vaultLiquidity(snapshot: VaultSnapshot, venues: readonly VenueLiquidity[]): VaultLiquidity {
  const slowest = venues.map(({ secondsIfShared }) => secondsIfShared);
  return {
    total: snapshot.totalAssets,
    now: venues.reduce((sum, { now }) => sum + now, snapshot.idle),
    seconds: slowest.some((seconds) => seconds === null)
      ? null
      : slowest.reduce<number>((most, seconds) => Math.max(most, seconds ?? 0), 0),
  };
}

/** Units that venues round away. */
const DUST = 4;

function scoreOf(adapter: AdapterSnapshot, snapshot: VaultSnapshot, cash: bigint | null): number {
  const { state } = adapter;
  if (state === null) return SHUT;
  const isPool = state.kind === "curve-3pool" || state.kind === "uniswap-v3";
  if (isPool && !state.steady) return SHUT;
  const reference = Math.max(Number(adapter.fairValue), REFERENCE_SHARE * Number(snapshot.totalAssets));
  if (cash !== null) return reference > 0 ? 100 * share(Number(cash) / reference / FULL_COVERAGE) : 100;
  // It says only what it would pay us.
  return adapter.fairValue === 0n
    ? UNTOLD
    : 100 * share(Number(adapter.maxWithdraw) / Number(adapter.fairValue)) * 0.75;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
