// What keeper/risk knows of a series' protocol, by the series' name: its scorecard, and the joint shocks that reach it. Age and
// incidents are as of any day that is asked about; all else is what the data files have, of later than most of history. No
// check for leaks finds that, for it alters rows and not these files: who decides on them says so ({@link scoreHindsight}).
import type { TailRisk } from "../allocate/problem";
import type { VenueKind } from "../chain/snapshot";
import type { Protocol } from "../risk/protocolFile";
import { scenarioMatrix, type ScenarioFile } from "../risk/scenarios";
import { scoreProtocol } from "../risk/scorecard";

/** Series of these are named after the market: PROTOCOL-ASSET. */
const PROTOCOLS = ["aave-v3", "compound-v3"] as const satisfies readonly VenueKind[];

const kindOf = (series: string): (typeof PROTOCOLS)[number] | undefined =>
  PROTOCOLS.find((one) => series.startsWith(`${one}-`));

/** Undefined: keeper/risk has no scorecard of it, and counts it as one of which nothing is known. */
function protocolOf(series: string, protocols: readonly Protocol[]): Protocol | undefined {
  return protocols.find(({ id }) => id === kindOf(series));
}

/** 0: the best score there is; 1: the worst. */
export function protocolRisk(protocols: readonly Protocol[]): (series: string, at: number) => number {
  return (series, at) => 1 - scoreProtocol(protocolOf(series, protocols) ?? null, at).score / 100;
}

/** In words: what the scores of these series on a past day know that nobody knew then; null: all are those of the unknown. */
export function scoreHindsight(series: readonly string[], protocols: readonly Protocol[]): string | null {
  const days = series.flatMap((one) => protocolOf(one, protocols)?.researchedTo ?? []);
  const to = days.sort().at(-1);
  if (to === undefined) return null;
  return `of a past day's scorecard only age and incidents are of that day: audits, size, oracle, governance and upgrades are as of ${to}`;
}

/** In words: the same of {@link seriesTail}. */
export const TAIL_HINDSIGHT =
  "joint shocks (risk.tail) come as often and take as much as is thought today, not as was thought then";

/** The joint shocks that these series share, with failures of protocols by their scores at a time, for the allocator's tail. */
export function seriesTail(
  series: readonly string[],
  { kappa, confidence }: Pick<TailRisk, "kappa" | "confidence">,
  known: { readonly protocols: readonly Protocol[]; readonly scenarios: ScenarioFile; readonly at: number },
): TailRisk {
  const exposed = series.map((venue) => {
    const protocol = protocolOf(venue, known.protocols) ?? null;
    const kind: VenueKind = kindOf(venue) ?? "erc4626";
    return { venue, kind, protocol, score: scoreProtocol(protocol, known.at).score };
  });
  const scenarios = scenarioMatrix(known.scenarios, exposed);
  return {
    ...{ kappa, confidence },
    scenarios: scenarios.map(({ probabilityPerYear, lossShare }) => ({
      probability: probabilityPerYear,
      losses: lossShare,
    })),
  };
}
