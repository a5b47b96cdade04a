// The trained models of a folder, each a folder of its own, and which of them a span may be judged with.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { InputFailure, type Failure } from "../config/failure";
import { latestBefore, type Card } from "./card";
import { readCard } from "./onnxModel";
import { RISK_FOLDER } from "./riskModel";

export interface FoundModel {
  /** The folder's, which is its card's. */
  readonly name: string;
  readonly folder: string;
  /** What is wrong with the card, where something is. */
  readonly card: Card | Failure;
}

/** Where the checkout keeps its models. */
export const MODELS_FOLDER = path.join(__dirname, "..", "..", "ml", "models");

/** A folder with one of these is a model's, or what is left of it. */
const OF_A_MODEL = ["card.json", "model.onnx"];

/** Models of rates, by name. Empty where there is no such folder. */
export function modelsIn(folder: string): FoundModel[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !RISK_FOLDER.test(entry.name),
  );
  return names
    .map(({ name }) => ({ name, folder: path.join(folder, name) }))
    .filter((one) => OF_A_MODEL.some((file) => existsSync(path.join(one.folder, file))))
    .map((one) => ({ ...one, card: cardIn(one.name, one.folder) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The model that a span is judged with: {@link latestBefore}.
 *
 * @param span Unix seconds.
 * @returns null where there is no model.
 * @throws InputFailure `MODEL_CARD`, `MODEL_MISSING`: a card cannot be read, and the model that it is of may have been the one.
 */
export function modelFor(
  span: { readonly from: number; readonly to: number },
  models: readonly FoundModel[],
): FoundModel | null {
  const trained = models.map((one) => {
    if (!isCard(one.card)) throw one.card;
    return { one, to: one.card.trainWindow.to };
  });
  return latestBefore(span, trained, ({ to }) => to)?.one ?? null;
}

/** @throws InputFailure `MODEL_UNKNOWN`. */
export function modelNamed(name: string, models: readonly FoundModel[]): FoundModel {
  const found = models.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new InputFailure("MODEL_UNKNOWN", `there is no model ${JSON.stringify(name)}`, {
    field: "--model",
    remedy: `Name one of: ${["ewma", ...models.map((one) => one.name)].join(", ")}.`,
  });
}

export function isCard(card: Card | Failure): card is Card {
  return !(card instanceof Error);
}

function cardIn(name: string, folder: string): Card | Failure {
  try {
    const card = readCard(folder);
    if (card.name === name) return card;
    const is = `is of ${card.name}, in the folder of ${name}`;
    return new InputFailure("MODEL_CARD", is, { field: folder, remedy: "Name the folder as its card does." });
  } catch (error) {
    if (error instanceof InputFailure) return error;
    throw error;
  }
}
