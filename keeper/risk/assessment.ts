// The risk of every venue and of the vault, put together from the parts: what `tiller risk` shows, and, of it, the verdicts
// that a decision is made with and its record holds.
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import { adviceOf, ADVICE_WORDS, compositeScore, positionLimit, type Advice, type RiskParts } from "./composite";
import { vaultLiquidity, venueLiquidity, type VaultLiquidity, type VenueLiquidity } from "./liquidity";
import { marketRisk, type MarketRisk } from "./marketRisk";
import { venueOracle, type FeedState, type VenueOracle } from "./oracle";
import type { PastPoint } from "./past";
import type { Protocol } from "./protocolFile";
import { indexReturns, rateReturns } from "./returns";
import { expectedLossApr, scenarioMatrix, type Scenario, type ScenarioFile } from "./scenarios";
import { scoreProtocol, share, type ProtocolScore } from "./scorecard";

/** What a decision is told of one venue. Recorded: every number is as it was used. */
export interface Verdict {
  readonly venue: string;
  /** 0 to 100. */
  readonly score: number;
  /** Share of the vault that the venue may hold at most. */
  readonly limit: number;
  readonly advice: Advice;
  /** In words, with the numbers. */
  readonly reason: string;
}

export interface VenueRisk extends Verdict {
  /** Share of the vault that it holds. */
  readonly held: number;
  readonly parts: RiskParts;
  readonly protocol: ProtocolScore;
  readonly liquidity: VenueLiquidity;
  readonly oracle: VenueOracle;
  /** Null: too few returns yet. */
  readonly market: MarketRisk | null;
  /** Fraction a year. */
  readonly expectedLossApr: number;
}

export interface RiskAssessment {
  readonly venues: readonly VenueRisk[];
  readonly vault: VaultLiquidity;
  readonly scenarios: readonly Scenario[];
}

export interface AssessmentInput {
  readonly snapshot: VaultSnapshot;
  /** By venue id. */
  readonly protocols: ReadonlyMap<string, Protocol | null>;
  readonly scenarios: ScenarioFile;
  /** Points of a venue, oldest first. */
  readonly past: (venue: string) => readonly PastPoint[];
  readonly feeds: readonly FeedState[];
  readonly depegBps: number;
  /** The operator's own caps by venue id, shares of the vault. */
  readonly venueCaps: Readonly<Record<string, number>>;
}

const WAD = 1e18;
const HOUR = 3_600;
/** Cash moves by the day: people are awake and asleep. */
const PACE_SECONDS = 86_400;
/** Mean hourly loss in the worst hundredth of hours at which a venue's market risk is as bad as it gets: 1 %. */
const WORST_HOUR = 0.01;

export function assess(input: AssessmentInput): RiskAssessment {
  const { snapshot, protocols } = input;
  const scored = snapshot.adapters.map((adapter) => {
    const protocol = protocols.get(adapter.id) ?? null;
    return { adapter, known: protocol, protocol: scoreProtocol(protocol, snapshot.timestamp) };
  });
  const scenarios = scenarioMatrix(
    input.scenarios,
    scored.map(({ adapter, known, protocol }) => ({
      venue: adapter.id,
      kind: adapter.kind,
      protocol: known,
      score: protocol.score,
    })),
  );
  const venues = scored.map(({ adapter, protocol }) => venueRisk(adapter, protocol, { input, scenarios }));
  const vault = vaultLiquidity(
    snapshot,
    venues.map(({ liquidity }) => liquidity),
  );
  return { venues, vault, scenarios };
}

function venueRisk(
  adapter: AdapterSnapshot,
  protocol: ProtocolScore,
  { input, scenarios }: { readonly input: AssessmentInput; readonly scenarios: readonly Scenario[] },
): VenueRisk {
  const { snapshot, feeds, depegBps } = input;
  const points = input.past(adapter.id);
  const since = snapshot.timestamp - PACE_SECONDS;
  const cash = points.flatMap(({ at, cash: amount, debt, ours }) =>
    amount === null || debt === null || at < since ? [] : [{ at, cash: amount, debt, ours }],
  );
  const liquidity = venueLiquidity(adapter, { snapshot, points: cash });
  const oracle = venueOracle(adapter, {
    ...{ feeds, depegBps },
    pools: snapshot.adapters,
    assetDecimals: snapshot.assetDecimals,
  });
  const market = marketOf(adapter, points);
  const parts: RiskParts = {
    protocol: protocol.score,
    liquidity: liquidity.score,
    oracle: oracle.score,
    market: market === null ? null : marketScore(market),
  };
  const score = compositeScore(parts);
  // A score never widens what the vault or the operator has set.
  const caps = Math.min(Number(adapter.relativeCap) / WAD, input.venueCaps[adapter.id] ?? 1);
  const limit = Math.min(positionLimit(score), caps);
  const total = Number(snapshot.totalAssets);
  const held = total > 0 ? Number(adapter.fairValue) / total : 0;
  const advice = adviceOf(held, limit);
  return {
    ...{ venue: adapter.id, score, limit, advice, held, parts, protocol, liquidity, oracle, market },
    reason: reasonOf({ advice, score, limit, held, parts, oracle }),
    expectedLossApr: expectedLossApr(scenarios, adapter.id),
  };
}

/**
 * Hourly returns: of the venue's index where that is what a unit in it is worth, else of its rate (an index of a pool's
 * fees begins at nothing). Null without a tail to look at.
 */
function marketOf({ kind }: AdapterSnapshot, points: readonly PastPoint[]): MarketRisk | null {
  const series = (value: (point: PastPoint) => number | null) =>
    points.flatMap((point) => {
      const found = value(point);
      return found === null ? [] : [{ at: point.at, value: found }];
    });
  const indexed = kind === "uniswap-v3" ? [] : series(({ index }) => index);
  const returns =
    indexed.length > 1
      ? indexReturns(indexed, HOUR)
      : rateReturns(
          series(({ apr }) => apr),
          HOUR,
        );
  const risk = marketRisk(returns);
  return risk.tails.some(({ historical }) => historical !== null) ? risk : null;
}

function marketScore({ tails }: MarketRisk): number {
  const worst = tails.reduce((most, { historical, cornishFisher }) => {
    return Math.max(most, historical?.cvar ?? -Infinity, cornishFisher?.cvar ?? -Infinity);
  }, -Infinity);
  return Math.round(100 * (1 - share(worst / WORST_HOUR)));
}

function reasonOf(of: Pick<VenueRisk, "advice" | "score" | "limit" | "held" | "parts" | "oracle">): string {
  const { parts, oracle } = of;
  const names = (["protocol", "liquidity", "oracle", "market"] as const).map((name) =>
    parts[name] === null ? `${name} untold` : `${name} ${parts[name]}`,
  );
  const trouble = oracle.trouble === null ? "" : `; ${oracle.trouble}`;
  return `${ADVICE_WORDS[of.advice]}: holds ${percent(of.held)} of at most ${percent(of.limit)} at a score of ${of.score} (${names.join(", ")}${trouble})`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** What of a venue's risk a decision is told. */
export function verdictOf({ venue, score, limit, advice, reason }: VenueRisk): Verdict {
  return { venue, score, limit, advice, reason };
}
