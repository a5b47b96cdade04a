// A plan of one who knows the rates to come: every other day the exact allocation for the mean rates of the fortnight ahead.
// It finds how to split money that dilutes its own rates; only the ceiling's lower end rests on it.
import { allocate } from "../../allocate/allocate";
import { impliedModel } from "../../venues/rateModel";
import type { Market } from "../market";
import { SECONDS_PER_YEAR } from "../series";
import type { Strategy } from "../strategy";
import type { MarketTruth } from "../truth";

const REVIEW_HOURS = 48;
const HORIZON_HOURS = 336;

export function foresight({ venues, truth, grid, gasUsd }: Market): Strategy {
  const stepsOf = (hours: number): number => Math.max(1, Math.round((hours * 3600) / grid.stepSeconds));
  const [every, horizon] = [stepsOf(REVIEW_HOURS), stepsOf(HORIZON_HOURS)];
  const meanApr = ({ growth }: MarketTruth, from: number): number => {
    const to = Math.min(grid.steps, from + horizon);
    let sum = 0;
    for (let k = from; k < to; k += 1) sum += growth[k] as number;
    return ((sum / (to - from)) * SECONDS_PER_YEAR) / grid.stepSeconds;
  };
  return {
    name: "foresight",
    start: (_knowledge, { costBps }) => ({
      decide(now, wanted) {
        if (now.step % every !== 0) return false;
        // What is decided now is traded a step later, but for the first placement.
        const at = Math.min(grid.steps - 1, now.first ? now.step : now.step + 1);
        const { allocation, moves } = allocate({
          total: now.total,
          horizonHours: (Math.min(horizon, grid.steps - at) * grid.stepSeconds) / 3600,
          gasUsdPerMove: now.first ? 0 : (gasUsd[at] as number) / 2,
          minIdle: 0,
          groups: [],
          venues: venues.map((id, v) => {
            const one = truth[v] as MarketTruth;
            return {
              ...{ id, current: now.held[v] as number, cap: now.total, floor: 0, expectedLossApr: 0 },
              costBps: now.first ? 0 : costBps / 2,
              model: impliedModel({ ...one.modelAt(at) }, meanApr(one, at), 0),
            };
          }),
        });
        venues.forEach((id, v) => (wanted[v] = allocation[id] ?? 0));
        return moves.length > 0;
      },
    }),
  };
}
