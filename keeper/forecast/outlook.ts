// What may come: every model of risk asked about every series, or about every pair's price, in one run each, and in words why one is
// not asked.
import type { FeatureSet } from "./features";
import { ModelWatch } from "./modelWatch";
import { classOf, type RiskClass, type RiskModel } from "./riskModel";

/** Of one event at one series. */
export interface Outlook {
  readonly series: string;
  /** As the model's card has it: `exit-illiquidity-24h`. */
  readonly event: string;
  readonly horizonHours: number;
  /** That it comes within the horizon; null: not foretold, and `note` says why. */
  readonly probability: number | null;
  /** High where it is there already; null: not foretold. */
  readonly class: RiskClass | null;
  /** How often it came within the horizon where the model was scored. */
  readonly usual: number;
  /** Why there is no probability. */
  readonly note: string | null;
  readonly model: string;
  readonly hash: string;
}

/** Rows of features of one series, or of one pair's price. */
export interface SeriesFeatures {
  readonly series: string;
  /** Of now: one row. */
  readonly now: Float64Array;
  /** Of the whole hours before, oldest first: what the models' training is compared with. */
  readonly past: Float64Array;
}

/**
 * @param set What the rows are of: models that are asked with other features are not asked.
 * @throws WorldFailure `MODEL_RUNTIME`.
 * @returns by series and then by model, in their orders.
 */
export async function outlooks(
  set: FeatureSet,
  asked: readonly SeriesFeatures[],
  all: readonly RiskModel[],
): Promise<readonly Outlook[]> {
  const models = all.filter((model) => model.set === set);
  const features = Float64Array.from(asked.flatMap(({ now }) => [...now]));
  const said = await Promise.all(models.map((model) => model.run(features)));
  return asked.flatMap((one, row) => models.map((model, k) => outlookOf(one, model, said[k]?.[row] ?? NaN)));
}

function outlookOf({ series, now, past }: SeriesFeatures, model: RiskModel, probability: number): Outlook {
  const { event } = model.card;
  const of = {
    ...{ series, event: event.name, horizonHours: event.horizonHours, usual: event.prevalence },
    ...{ model: model.name, hash: model.hash },
  };
  const untold = (note: string): Outlook => ({ ...of, probability: null, class: null, note });
  switch (model.standing(now, 0)) {
    case "there":
      return { ...of, probability: null, class: "high", note: "it is so already" };
    case "unknown":
      return untold("what it goes by is not known of this venue");
    case "asked": {
      const trouble = troubleOf(past, model);
      if (trouble !== null) return untold(trouble);
      if (Number.isNaN(probability)) return untold("the model answered with what is no probability");
      return { ...of, probability, class: classOf(probability, event.classes), note: null };
    }
  }
}

/** Why it is not to be asked, in words. */
function troubleOf(past: Float64Array, { norms, set }: RiskModel): string | null {
  const watch = new ModelWatch(norms);
  for (let row = 0; row < past.length / set.features.length; row += 1) watch.see(past, row);
  return watch.unusualShare === null ? "too little of it is known yet" : watch.strangeness;
}
