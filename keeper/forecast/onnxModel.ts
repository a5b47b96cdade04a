// A trained model of rates, as its folder has it (`onnxFile.ts`): what it says by our horizons.
import { cardOf, type Card } from "./card";
import { HORIZONS } from "./features";
import { normsOf } from "./modelWatch";
import { cardFile, contentOf, openModel, refused } from "./onnxFile";
import type { DeviationModel } from "./served";

export interface ServedModel extends DeviationModel {
  readonly card: Card;
}

/**
 * Reads, checks and warms up a model.
 *
 * @throws InputFailure `MODEL_CARD`, `MODEL_HORIZONS`; what {@link openModel} throws.
 */
export async function loadModel(folder: string): Promise<ServedModel> {
  const card = readCard(folder);
  const places = HORIZONS.map((hours) => card.horizonsHours.indexOf(hours));
  if (places.every((place) => place < 0)) {
    throw refused("MODEL_HORIZONS", `has none of the horizons ${HORIZONS.join(", ")} h`, cardFile(folder));
  }
  const columns = card.horizonsHours.length;
  const { hash, run } = await openModel(folder, { card, outputs: { deviation: columns, scale: columns } });
  return {
    ...{ name: card.name, hash, card, norms: normsOf(card), trainWindow: card.trainWindow },
    serves: HORIZONS.map((hours, h) => (places[h] as number) >= 0 && card.servedHorizonsHours.includes(hours)),
    async run(features, rows) {
      const said = await run(features, rows);
      return { deviation: arranged(said.deviation, rows, places), scale: arranged(said.scale, rows, places) };
    },
  };
}

/** @throws InputFailure `MODEL_MISSING`, `MODEL_CARD`. */
export function readCard(folder: string): Card {
  const card = cardOf(contentOf(folder, "card.json").toString());
  if (typeof card === "string") throw refused("MODEL_CARD", card, cardFile(folder));
  return card;
}

/** Answers by our horizons; NaN where the model has none. */
function arranged(data: Float32Array, rows: number, places: readonly number[]): Float64Array {
  const columns = data.length / rows;
  const out = new Float64Array(rows * places.length).fill(NaN);
  for (let row = 0; row < rows; row += 1) {
    places.forEach((place, h) => {
      if (place >= 0) out[row * places.length + h] = data[row * columns + place] as number;
    });
  }
  return out;
}
