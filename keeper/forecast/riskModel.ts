// Trained models of what may come: that money cannot leave a venue, that its rate collapses, that a price loses its peg. Each says a
// calibrated probability of one event within its horizon, from the features of models of rates or those of prices.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { InputFailure, type Failure } from "../config/failure";
import { latestBefore, riskCardOf, type RiskCard } from "./card";
import { OF_RATES, type FeatureSet } from "./features";
import { normsOf, type Norms } from "./modelWatch";
import { cardFile, contentOf, openModel, refused } from "./onnxFile";
import { DEPEGGED, OF_PEGS } from "./pegFeatures";
import { columnOf } from "./served";

export type RiskClass = "low" | "medium" | "high";

/** Of a row: whether a model is asked about it, its event is there already, or what decides that is not known. */
export type Standing = "asked" | "there" | "unknown";

/** What its name says without the horizon. */
export type EventKind = LenderEvent | "depeg";
/** Those of a lender, told by the features of its rates. */
export type LenderEvent = "exit-illiquidity" | "apr-collapse";

export interface RiskModel {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  readonly card: RiskCard;
  readonly kind: EventKind;
  /** What it is asked with. */
  readonly set: FeatureSet;
  readonly norms: Norms;
  standing(features: Float64Array, row: number): Standing;
  /**
   * @param features Rows of its set.
   * @returns by row: the probability; NaN where the answer is none.
   * @throws WorldFailure `MODEL_RUNTIME`.
   */
  run(features: Float64Array): Promise<Float64Array>;
}

/** A model of what may come of a lender. */
export type LenderModel = RiskModel & { readonly kind: LenderEvent };

export function isOfLender(model: RiskModel): model is LenderModel {
  return model.set === OF_RATES;
}

/** Models of risk have folders of this name beside those of rates. */
export const RISK_FOLDER = /^risk-/;

/** Above it what a lender wants out may not be there; as where models are trained (ml/tillerml/risk.py). */
export const ILLIQUID = 0.95;

/** A price that was not heard of for longer is not known, hours. */
const PRICE_KNOWN_HOURS = 24;

const [APR, EWMA, UTILISATION] = ["apr", "ewma_24h", "utilisation"].map((name) => columnOf(name)) as [
  ...[number, number, number],
];
const [DISTANCE, AGE] = ["distance", "age"].map((name) => columnOf(name, OF_PEGS)) as [number, number];

interface Asking {
  readonly set: FeatureSet;
  /** Of a row, by its columns. */
  readonly stand: (value: (column: number) => number) => Standing;
}

/** An event is only asked about where it is not there already, which is how models are trained and scored. */
const KINDS: Readonly<Record<EventKind, Asking>> = {
  "exit-illiquidity": {
    set: OF_RATES,
    stand: (value) => {
      const utilisation = value(UTILISATION);
      return Number.isNaN(utilisation) ? "unknown" : utilisation > ILLIQUID ? "there" : "asked";
    },
  },
  // A rate of nothing cannot be halved; and models have learnt from lenders alone.
  "apr-collapse": {
    set: OF_RATES,
    stand: (value) =>
      value(APR) > 0 && !Number.isNaN(value(EWMA)) && !Number.isNaN(value(UTILISATION)) ? "asked" : "unknown",
  },
  depeg: {
    set: OF_PEGS,
    stand: (value) => {
      if (!(value(AGE) <= PRICE_KNOWN_HOURS)) return "unknown";
      return value(DISTANCE) > DEPEGGED ? "there" : "asked";
    },
  },
};

export interface RiskFolder {
  readonly folder: string;
  /** Of the model, by its card; null: the card cannot be read. */
  readonly hash: string | null;
}

export interface FoundRiskModel {
  /** The folder's. */
  readonly name: string;
  readonly folder: string;
  /** What is wrong with the card, where something is. */
  readonly card: RiskCard | Failure;
}

/** Models of risk, by name. Empty where there is no such folder. */
export function riskModelsIn(models: string): FoundRiskModel[] {
  if (!existsSync(models)) return [];
  return readdirSync(models, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && RISK_FOLDER.test(entry.name))
    .map(({ name }) => ({ name, folder: path.join(models, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((one) => ({ ...one, card: cardIn(one.folder) }));
}

/** Of a folder's models of risk those that are to be served, by name. */
export function riskFolders(models: string): RiskFolder[] {
  return riskModelsIn(models).flatMap(({ folder, card }): RiskFolder[] => {
    if (card instanceof Error) return [{ folder, hash: null }];
    return card.role === "served" ? [{ folder, hash: card.sha256 }] : [];
  });
}

/**
 * The models of risk that a span is judged with, one an event: of the frozen ones, never those that are served.
 *
 * @param span Unix seconds.
 * @returns folders, by name of the event; as {@link latestBefore}.
 * @throws InputFailure `MODEL_MISSING`, `MODEL_CARD`: a card cannot be read, and the model that it is of may have been the one.
 */
export function riskFoldersFor(span: { readonly from: number }, models: string): string[] {
  const found = riskModelsIn(models).map(({ folder, card }) => {
    if (card instanceof Error) throw card;
    return { folder, card };
  });
  const frozen = found.filter(({ card }) => card.role === "evaluation");
  const events = [...new Set(frozen.map(({ card }) => card.event.name))].sort();
  return events.flatMap((event) => {
    const ofEvent = frozen.filter(({ card }) => card.event.name === event);
    return latestBefore(span, ofEvent, ({ card }) => card.trainWindow.to)?.folder ?? [];
  });
}

/** @throws InputFailure `MODEL_MISSING`, `MODEL_CARD`, `MODEL_EVENT`; what {@link openModel} throws. */
export async function loadRiskModel(folder: string): Promise<RiskModel> {
  const card = cardIn(folder);
  if (card instanceof Error) throw card;
  const { name } = card.event;
  const kind = name.replace(/-\d+[hd]$/, "");
  if (!isEventKind(kind)) {
    throw refused(
      "MODEL_EVENT",
      `foretells ${JSON.stringify(name)}, which is no event that is served`,
      cardFile(folder),
    );
  }
  const { set, stand } = KINDS[kind];
  const width = set.features.length;
  const { hash, run } = await openModel(folder, { card, outputs: { probability: 1 }, set });
  return {
    ...{ name: card.name, hash, card, kind, set, norms: normsOf(card, set) },
    standing: (features, row) => stand((column) => features[row * width + column] as number),
    async run(features) {
      const rows = features.length / width;
      if (rows === 0) return new Float64Array(0);
      const { probability } = await run(features, rows);
      return Float64Array.from(probability, (p, row) => {
        const own = features.subarray(row * width, (row + 1) * width);
        // What overflowed would come out as if it meant something.
        return p >= 0 && p <= 1 && own.every((value) => Math.abs(value) !== Infinity) ? p : NaN;
      });
    },
  };
}

function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(KINDS, kind);
}

/** @param classes Probabilities from which it is medium, and high. */
export function classOf(probability: number, [medium, high]: readonly [number, number]): RiskClass {
  return probability >= high ? "high" : probability >= medium ? "medium" : "low";
}

/** @returns the card, or what is wrong with it: `MODEL_MISSING`, `MODEL_CARD`. */
function cardIn(folder: string): RiskCard | Failure {
  try {
    const card = riskCardOf(contentOf(folder, "card.json").toString());
    return typeof card === "string" ? refused("MODEL_CARD", card, cardFile(folder)) : card;
  } catch (error) {
    if (error instanceof InputFailure) return error;
    throw error;
  }
}
