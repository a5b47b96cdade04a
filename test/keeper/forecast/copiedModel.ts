// A model of risk of the checkout, spoilt or not, and what loading it comes to.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Failure } from "../../../keeper/config/failure";
import { MODELS_FOLDER } from "../../../keeper/forecast/modelFolder";
import { loadRiskModel } from "../../../keeper/forecast/riskModel";

/** Puts the checkout's own into `folder`, with another card. @returns its place. */
export function copiedModel(
  folder: string,
  name: string,
  change: (card: Record<string, unknown>) => void = () => undefined,
): string {
  const place = path.join(folder, name);
  cpSync(path.join(MODELS_FOLDER, name), place, { recursive: true });
  const file = path.join(place, "card.json");
  const card = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  change(card);
  writeFileSync(file, JSON.stringify(card));
  return place;
}

/** The code that it is refused with, or `served`. */
export function refusalOf(place: string): Promise<string> {
  return loadRiskModel(place).then(
    () => "served",
    (error: unknown) => (error as Failure).code,
  );
}
