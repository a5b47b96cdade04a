// `--models`: trained models of a folder. One that a person named has to have some; where the checkout's own are not there, the baselines
// stand in, and it is said.
import { InputFailure } from "../config/failure";
import { MODELS_FOLDER, modelsIn, type FoundModel } from "../forecast/modelFolder";

export interface ModelsOption {
  readonly folder: string;
  readonly found: readonly FoundModel[];
  /** What is to be said of that; null: nothing. */
  readonly note: string | null;
}

/**
 * @param named Undefined: nobody named a folder.
 * @param own The checkout's.
 * @throws InputFailure `MODEL_MISSING`: the folder that was named has no model of rates.
 */
export function modelsOption(named: string | undefined, own = MODELS_FOLDER): ModelsOption {
  const folder = named ?? own;
  const found = modelsIn(folder);
  if (found.length > 0) return { folder, found, note: null };
  if (named === undefined) return { folder, found, note: `${own} has no trained model` };
  throw new InputFailure("MODEL_MISSING", `${named} holds no folder of a trained model of rates`, {
    field: "--models",
    remedy:
      "Name the folder that holds the models' folders (NAME/card.json, NAME/model.onnx), or leave the option out for the checkout's own.",
  });
}
