// The best that switching all money between venues could have earned, had everything been known: dynamic programming over
// the place of the money, with cash as one more place. Where deposits change no rate, nothing else does better, splitting
// included (README.md has the proof): then this is the ceiling.
import type { Market } from "./market";
import type { Strategy } from "./strategy";
import type { MarketTruth } from "./truth";

export interface Switching {
  /** USD at the end. */
  readonly final: number;
  /** Place of the money in each step: a venue, or their number for cash. */
  readonly path: Uint8Array;
}

/** @param diluted Rates are those with all the money in the venue; else those of a deposit of nothing. */
export function bestSwitching(
  market: Market,
  { capital, costBps, diluted }: { readonly capital: number; readonly costBps: number; readonly diluted: boolean },
): Switching {
  const { truth, gasUsd, grid } = market;
  const cash = truth.length;
  const half = costBps / 2e4;
  // The most that can be in each place, all of it there.
  const most = new Float64Array(cash + 1).fill(capital);
  const came = new Uint8Array(grid.steps * (cash + 1));
  for (let k = 0; k < grid.steps; k += 1) {
    const row = k * (cash + 1);
    if (k === 0) for (let v = 0; v <= cash; v += 1) came[row + v] = v;
    else moveOn(most, came.subarray(row, row + cash + 1), { half, gas: gasUsd[k] as number });
    for (let v = 0; v < cash; v += 1) {
      const held = most[v] as number;
      const market = truth[v] as MarketTruth;
      most[v] = held * (1 + (diluted ? market.growthOf(k, held) : (market.growth[k] as number)));
    }
  }
  let place = 0;
  for (let v = 1; v <= cash; v += 1) if ((most[v] as number) > (most[place] as number)) place = v;
  const final = most[place] as number;
  const path = new Uint8Array(grid.steps);
  for (let k = grid.steps - 1; k >= 0; k -= 1) {
    path[k] = place;
    place = came[k * (cash + 1) + place] as number;
  }
  return { final, path };
}

/** For each place the better of staying and of coming from the place that has most to bring. */
function moveOn(most: Float64Array, came: Uint8Array, cost: { readonly half: number; readonly gas: number }): void {
  const cash = most.length - 1;
  const { half, gas } = cost;
  let richest = 0;
  for (let v = 1; v < cash; v += 1) if ((most[v] as number) > (most[richest] as number)) richest = v;
  const brought = (most[richest] as number) * (1 - half);
  const idle = most[cash] as number;
  const [from, purse] = idle > brought ? [cash, idle] : [richest, brought];
  for (let v = 0; v < cash; v += 1) {
    const arriving = (purse - gas) / (1 + half);
    const stays = !(arriving > (most[v] as number)) || from === v;
    came[v] = stays ? v : from;
    if (!stays) most[v] = arriving;
  }
  const withdrawn = brought - gas;
  came[cash] = withdrawn > idle ? richest : cash;
  if (withdrawn > idle) most[cash] = withdrawn;
}

/** A plan of one who knows everything, as a strategy: what a path would have earned by the rules of every other one. */
export function following(name: string, { path }: Switching): Strategy {
  return {
    name,
    start: () => ({
      decide(now, wanted) {
        // What is decided now is traded a step later, but for the first placement.
        const place = path[now.first ? now.step : now.step + 1] ?? wanted.length;
        const before = now.first ? wanted.length : (path[now.step] as number);
        if (place === before) return false;
        wanted.fill(0);
        if (place < wanted.length) wanted[place] = now.total;
        return true;
      },
    }),
  };
}
