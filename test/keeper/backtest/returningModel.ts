// A model whose word can be worked out by hand.
import { FEATURES, HORIZONS } from "../../../keeper/forecast/features";
import { columnOf, type DeviationModel } from "../../../keeper/forecast/served";

/** Says that rates come back to `mean`, half way in a day. @param serves Hours. */
export function returning(serves: readonly number[] = HORIZONS, mean = 0.05): DeviationModel {
  return {
    ...{
      name: "returning",
      hash: "f".repeat(64),
      serves: HORIZONS.map((hours) => serves.includes(hours)),
      norms: null,
    },
    trainWindow: { from: 0, to: 0 },
    run: async (features, rows) => {
      const deviation = new Float64Array(rows * HORIZONS.length);
      for (let row = 0; row < rows; row += 1) {
        const of = (name: string): number => features[row * FEATURES.length + columnOf(name)] as number;
        const half = mean / 2 + of("apr") / 2 - of("ewma_24h");
        deviation.fill(half, row * HORIZONS.length, (row + 1) * HORIZONS.length);
      }
      return { deviation, scale: new Float64Array(deviation.length).fill(0.01) };
    },
  };
}
