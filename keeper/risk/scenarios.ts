// What can go wrong for several venues on one day, and what each would lose by it: a matrix of joint shocks, from
// scenarios.json and the scorecards. One row is one event; events are taken to exclude each other within a year, which
// their small probabilities allow. Losses are counted in the vault's own asset: that it falls against the dollar itself is
// no allocation's doing, and the breaker's business (breaker.ts).
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { VenueKind } from "../chain/snapshot";
import { InputFailure } from "../config/failure";
import type { Protocol } from "./protocolFile";

export interface Scenario {
  readonly id: string;
  /** In [0, 1]. */
  readonly probabilityPerYear: number;
  /** Share of a position that is lost when it happens, by venue id. Venues that it spares are absent. */
  readonly lossShare: Readonly<Record<string, number>>;
}

const inUnit = z.number().min(0, "must be in [0, 1]").max(1, "must be in [0, 1]");
const basis = z.string().min(1, "is empty");

const fileSchema = z.strictObject({
  format: z.literal("tiller-scenarios/1"),
  protocolFailure: z.strictObject({
    atScoreZero: inUnit,
    halvesEvery: z.number().positive("must be above 0"),
    lossShare: inUnit,
    basis,
  }),
  shocks: z.array(
    z.strictObject({
      id: z.string().min(1, "is empty"),
      probabilityPerYear: inUnit,
      hits: z.array(z.strictObject({ by: z.enum(["coin", "oracle", "kind"]), name: z.string(), lossShare: inUnit })),
      basis,
    }),
  ),
});

export type ScenarioFile = z.output<typeof fileSchema>;

export const SCENARIO_FILE = path.join(__dirname, "scenarios.json");

/** @throws InputFailure `SCENARIOS_MALFORMED` naming the first field that is wrong. */
export function readScenarios(file: string = SCENARIO_FILE): ScenarioFile {
  const malformed = (field: string, message: string): InputFailure =>
    new InputFailure("SCENARIOS_MALFORMED", message, {
      field,
      remedy: "Correct it; keeper/risk/README.md says what each field means.",
    });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw malformed(file, "is no JSON file that can be read");
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw malformed((issue?.path ?? [file]).map(String).join("."), issue?.message ?? "is no file of scenarios");
}

/** What of a venue a shock can reach it by. */
export interface ExposedVenue {
  readonly venue: string;
  readonly kind: VenueKind;
  /** Null: not known; then only what hits its kind does. */
  readonly protocol: Protocol | null;
  /** Of the scorecard, 0 to 100. */
  readonly score: number;
}

/**
 * The matrix for these venues: a row for each shock that hits any of them, then one for each protocol's failure, which hits
 * every venue that is of it. A venue of no known protocol fails by itself.
 */
export function scenarioMatrix(file: ScenarioFile, venues: readonly ExposedVenue[]): Scenario[] {
  const shocks = file.shocks.map(({ id, probabilityPerYear, hits }) => ({
    id,
    probabilityPerYear,
    lossShare: Object.fromEntries(
      venues.flatMap((venue): [string, number][] => {
        const loss = hits.reduce((most, hit) => (isHit(venue, hit) ? Math.max(most, hit.lossShare) : most), 0);
        return loss > 0 ? [[venue.venue, loss]] : [];
      }),
    ),
  }));
  const { atScoreZero, halvesEvery, lossShare } = file.protocolFailure;
  const failures = new Map<string, { probabilityPerYear: number; lossShare: Record<string, number> }>();
  for (const { venue, protocol, score } of venues) {
    const id = `failure-of-${protocol?.id ?? venue}`;
    const row = failures.get(id) ?? { probabilityPerYear: 0, lossShare: {} };
    row.probabilityPerYear = Math.max(row.probabilityPerYear, rounded(atScoreZero * 2 ** (-score / halvesEvery)));
    row.lossShare[venue] = lossShare;
    failures.set(id, row);
  }
  return [...shocks, ...[...failures].map(([id, row]) => ({ id, ...row }))].filter(
    (row) => Object.keys(row.lossShare).length > 0,
  );
}

/** Probability × loss given event of a venue, summed over what can happen: fraction of the position a year. */
export function expectedLossApr(scenarios: readonly Scenario[], venue: string): number {
  return scenarios.reduce((sum, row) => sum + row.probabilityPerYear * (row.lossShare[venue] ?? 0), 0);
}

/**
 * Mean loss of an allocation in the worst years, of probability 1 − `level`, as a fraction of what is allocated: over the
 * rows of the matrix and the year in which none of them happens.
 * @param shares Of the vault by venue id; what is not named is idle and loses nothing.
 */
export function scenarioCvar(
  scenarios: readonly Scenario[],
  shares: Readonly<Record<string, number>>,
  level: number,
): number {
  const losses = scenarios
    .map(({ probabilityPerYear, lossShare }) => ({
      probability: probabilityPerYear,
      loss: Object.entries(lossShare).reduce((sum, [venue, part]) => sum + part * (shares[venue] ?? 0), 0),
    }))
    .sort((a, b) => b.loss - a.loss);
  const worst = 1 - level;
  let [left, sum] = [worst, 0];
  for (const { probability, loss } of losses) {
    const taken = Math.min(left, probability);
    sum += taken * loss;
    left -= taken;
  }
  return worst > 0 ? sum / worst : (losses[0]?.loss ?? 0);
}

function isHit({ kind, protocol }: ExposedVenue, hit: ScenarioFile["shocks"][number]["hits"][number]): boolean {
  switch (hit.by) {
    case "kind":
      return kind === hit.name;
    case "coin":
      return protocol?.leansOn.value?.coins.includes(hit.name) ?? false;
    case "oracle":
      return protocol?.leansOn.value?.oracles.includes(hit.name) ?? false;
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
