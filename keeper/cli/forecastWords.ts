// Forecasts and the model that they are of, in words: in the table of a terminal and on the page of a report alike.
import { utcDay } from "../collect/utcDay";
import type { RiskModel } from "../forecast/riskModel";
import type { DeviationModel } from "../forecast/served";

/** Of the JSON of every command that asks a model; null: none was asked. */
export function modelShape(model: DeviationModel | null): object | null {
  return model === null ? null : { name: model.name, hash: model.hash, trainWindow: model.trainWindow };
}

export function riskModelShape({ name, hash, card }: RiskModel): object {
  const { event, trainWindow } = card;
  return { event: event.name, name, hash, kind: card.kind, classes: event.classes, trainWindow };
}

export function modelWords({ name, hash, trainWindow }: DeviationModel): string {
  return `model ${name}, ${hash.slice(0, 16)}, trained up to ${utcDay(trainWindow.to)}`;
}

/** As people say it: 24 h, 7 d. */
export function horizon(hours: number): string {
  return hours % 24 === 0 && hours > 24 ? `${hours / 24} d` : `${hours} h`;
}

export function decimals(value: number | null, places: number): string {
  return value === null ? "–" : value.toFixed(places);
}

export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}
