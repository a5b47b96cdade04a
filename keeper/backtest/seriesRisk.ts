// What keeper/risk knows of a series' protocol, by the series' name: its scorecard as of any day, and the joint shocks that
// reach it. Age and incidents are as of that day; audits, size and governance are those that the data file has, of later than
// most of history: a score of the past knows a little too much.
import type { TailRisk } from "../allocate/problem";
import type { VenueKind } from "../chain/snapshot";
import type { Protocol } from "../risk/protocolFile";
import { scenarioMatrix, type ScenarioFile } from "../risk/scenarios";
import { scoreProtocol } from "../risk/scorecard";

/** Series of these are named after the market: PROTOCOL-ASSET. */
const PROTOCOLS = ["aave-v3", "compound-v3"] as const satisfies readonly VenueKind[];

/** Undefined: keeper/risk has no scorecard of it, and counts it as one of which nothing is known. */
function protocolOf(series: string, protocols: readonly Protocol[]): Protocol | undefined {
  const id = PROTOCOLS.find((one) => series.startsWith(`${one}-`));
  return protocols.find((one) => one.id === id);
}

/** 0: the best score there is; 1: the worst. */
export function protocolRisk(protocols: readonly Protocol[]): (series: string, at: number) => number {
  return (series, at) => 1 - scoreProtocol(protocolOf(series, protocols) ?? null, at).score / 100;
}

/** The joint shocks that these series share, as they were at a time, for the allocator's tail. */
export function seriesTail(
  series: readonly string[],
  settings: Pick<TailRisk, "kappa" | "confidence">,
  known: { readonly protocols: readonly Protocol[]; readonly scenarios: ScenarioFile; readonly at: number },
): TailRisk {
  const exposed = series.map((venue) => {
    const protocol = protocolOf(venue, known.protocols) ?? null;
    const kind: VenueKind = PROTOCOLS.find((one) => venue.startsWith(`${one}-`)) ?? "erc4626";
    return { venue, kind, protocol, score: scoreProtocol(protocol, known.at).score };
  });
  const scenarios = scenarioMatrix(known.scenarios, exposed);
  return {
    ...settings,
    scenarios: scenarios.map(({ probabilityPerYear, lossShare }) => ({
      probability: probabilityPerYear,
      losses: lossShare,
    })),
  };
}
