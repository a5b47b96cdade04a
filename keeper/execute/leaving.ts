// Which venues of a plan to idle the chain would not let us leave at a block: the plan as a whole by `eth_call`, then, if
// that reverts, each leg alone. One venue that refuses must not keep the others in.
import { type Provider, ZeroHash } from "ethers";
import type { Plan, PlanMove } from "../decide/strategy";
import { encodePlan } from "./encode";
import { simulatePlan, type PlanCall } from "./simulate";

export interface Unable {
  readonly venue: string;
  readonly why: string;
}

/** @throws what the provider throws when it cannot answer. */
export async function unableToLeave(
  provider: Provider,
  plan: Plan,
  call: Omit<PlanCall, "calldata">,
): Promise<readonly Unable[]> {
  // What a plan commits to changes nothing of what it does.
  const reasonOf = async (moves: readonly PlanMove[]): Promise<string | null> => {
    const simulation = await simulatePlan(provider, { ...call, calldata: encodePlan({ ...plan, moves }, ZeroHash) });
    return simulation.kind === "reverts" ? simulation.reason : null;
  };
  if (plan.moves.length === 0 || (await reasonOf(plan.moves)) === null) return [];
  const alone = await Promise.all(plan.moves.map(async (move) => ({ move, why: await reasonOf([move]) })));
  const unable = alone.flatMap(({ move, why }) => (why === null ? [] : [{ venue: move.venue, why }]));
  const rest = alone.flatMap(({ move, why }) => (why === null ? [move] : []));
  // Each works alone and all together do not, as when their losses add up over a bound: from the last, where pools are.
  while (rest.length > 0) {
    const why = await reasonOf(rest);
    const last = why === null ? undefined : rest.pop();
    if (why === null || last === undefined) break;
    unable.push({ venue: last.venue, why: `together with the others: ${why}` });
  }
  return unable;
}
