// A trained model from its folder: `model.onnx`, `card.json`, `golden.json(.gz)`. Nothing of it is believed: the file has to be the
// one that the card is of, its features ours, and its answers those that were written down where it was trained.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type * as Onnx from "onnxruntime-node";
import { z } from "zod";
import { InputFailure, WorldFailure } from "../config/failure";
import { cardOf, type Card } from "./card";
import { FEATURES, FEATURE_VERSION, HORIZONS } from "./features";
import { opsetsOf } from "./opset";
import { normsOf } from "./modelWatch";
import type { DeviationModel } from "./served";

/** What is not served here is what the runtime may learn later than the trainers. */
const MOST_OPSET = 20;
const LEAST_GOLDEN_ROWS = 200;
/** Of the larger of the value and a tenth of a point: answers are float32, summed in another order on another machine. */
const TOLERANCE = 1e-5;
const LEAST_MAGNITUDE = 1e-3;

export interface ServedModel extends DeviationModel {
  readonly card: Card;
}

const matrix = z.array(z.array(z.number().nullable()));
const goldenSchema = z.object({
  inputs: z.object({ features: matrix }),
  outputs: z.object({ deviation: matrix, scale: matrix }),
});

/**
 * Reads, checks and warms up a model.
 *
 * @throws InputFailure `MODEL_MISSING`, `MODEL_CARD`, `MODEL_HASH`, `MODEL_OPSET`, `MODEL_FEATURES`, `MODEL_INPUT`,
 * `MODEL_HORIZONS`, `MODEL_GOLDEN`; WorldFailure `MODEL_RUNTIME`.
 */
export async function loadModel(folder: string): Promise<ServedModel> {
  const card = readCard(folder);
  const bytes = contentOf(folder, "model.onnx");
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (hash !== card.sha256) {
    throw refused("MODEL_HASH", "is not the file that its card is of", path.join(folder, "model.onnx"));
  }
  checkOpset(folder, card, bytes);
  const columns = columnsOf(folder, card);
  if (card.input.kind !== "row") {
    throw refused("MODEL_INPUT", "takes windows, and only models of single rows are served", cardFile(folder));
  }
  const places = HORIZONS.map((hours) => card.horizonsHours.indexOf(hours));
  if (places.every((place) => place < 0)) {
    throw refused("MODEL_HORIZONS", `has none of the horizons ${HORIZONS.join(", ")} h`, cardFile(folder));
  }
  const session = await sessionOf(folder, bytes);
  const ask = asker(session, { inputs: columns.length, outputs: card.horizonsHours.length });
  await checkGolden(folder, ask, columns.length);
  return {
    ...{ name: card.name, hash, card, norms: normsOf(card), trainWindow: card.trainWindow },
    serves: HORIZONS.map((hours, h) => (places[h] as number) >= 0 && card.servedHorizonsHours.includes(hours)),
    async run(features, rows) {
      const input = new Float32Array(rows * columns.length);
      for (let row = 0; row < rows; row += 1) {
        columns.forEach((column, k) => {
          input[row * columns.length + k] = features[row * FEATURES.length + column] as number;
        });
      }
      const said = await ask(input, rows);
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

type Ask = (
  input: Float32Array,
  rows: number,
) => Promise<{ readonly deviation: Float32Array; readonly scale: Float32Array }>;

function asker(session: Onnx.InferenceSession, of: { readonly inputs: number; readonly outputs: number }): Ask {
  return async (input, rows) => {
    const ort = await runtime();
    let answer: Onnx.InferenceSession.OnnxValueMapType;
    try {
      answer = await session.run({ features: new ort.Tensor("float32", input, [rows, of.inputs]) }, [...OUTPUTS]);
    } catch (error) {
      throw new WorldFailure("MODEL_RUNTIME", "the model does not run", { remedy: RETRAIN, cause: error });
    }
    const [deviation, scale] = OUTPUTS.map((name) => (answer[name] as Onnx.Tensor | undefined)?.data);
    const length = rows * of.outputs;
    if (isFloats(deviation, length) && isFloats(scale, length)) return { deviation, scale };
    const remedy = RETRAIN;
    throw new WorldFailure("MODEL_RUNTIME", "the model's answer has another shape or kind than its card says", {
      remedy,
    });
  };
}

const OUTPUTS = ["deviation", "scale"] as const;

function isFloats(data: unknown, length: number): data is Float32Array {
  return data instanceof Float32Array && data.length === length;
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

function checkOpset(folder: string, card: Card, bytes: Buffer): void {
  const field = path.join(folder, "model.onnx");
  const opset = opsetsOf(bytes)?.get("");
  if (opset === undefined) throw refused("MODEL_OPSET", "is no ONNX model that names its operators", field);
  if (opset !== card.opset) throw refused("MODEL_OPSET", `asks for opset ${opset}, its card for ${card.opset}`, field);
  if (opset > MOST_OPSET)
    throw refused("MODEL_OPSET", `asks for opset ${opset}; served are up to ${MOST_OPSET}`, field);
}

/** Where each of the model's features is among ours: some of them, in the order that data sets have them. */
function columnsOf(folder: string, card: Card): number[] {
  const field = cardFile(folder);
  if (card.featureVersion !== FEATURE_VERSION) {
    const is = `is for version ${card.featureVersion} of the features, which are at ${FEATURE_VERSION} now`;
    throw refused("MODEL_FEATURES", is, field);
  }
  let last = -1;
  return card.features.map(({ name, unit }) => {
    const column = FEATURES.findIndex((feature) => feature.name === name);
    if (column < 0) throw refused("MODEL_FEATURES", `takes a feature ${JSON.stringify(name)} that there is not`, field);
    const ours = FEATURES[column]?.unit;
    if (ours !== unit) {
      const is = `takes ${name} in ${JSON.stringify(unit)}; here it is in ${JSON.stringify(ours)}`;
      throw refused("MODEL_FEATURES", is, field);
    }
    if (column <= last) throw refused("MODEL_FEATURES", `takes ${name} out of the data sets' order`, field);
    last = column;
    return column;
  });
}

async function sessionOf(folder: string, bytes: Buffer): Promise<Onnx.InferenceSession> {
  const ort = await runtime();
  const field = path.join(folder, "model.onnx");
  let session: Onnx.InferenceSession;
  try {
    // One thread: a keeper's batch is a handful of rows, and threads that wait for work burn a core.
    const one = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" } as const;
    session = await ort.InferenceSession.create(bytes, { ...one, logSeverityLevel: 3 });
  } catch (error) {
    throw refused("MODEL_RUNTIME", "cannot be read by the runtime", field, error);
  }
  const lacking = OUTPUTS.filter((name) => !session.outputNames.includes(name));
  if (session.inputNames.join() === "features" && lacking.length === 0) return session;
  const has = `takes ${session.inputNames.join(", ")} and gives ${session.outputNames.join(", ")}`;
  throw refused("MODEL_INPUT", `${has}, not features for ${OUTPUTS.join(" and ")}`, field);
}

/** @throws WorldFailure `MODEL_RUNTIME` where there are no binaries for this machine. */
async function runtime(): Promise<typeof Onnx> {
  try {
    // Its library takes a while to load: only those pay who have a model.
    return await import("onnxruntime-node");
  } catch (error) {
    throw new WorldFailure("MODEL_RUNTIME", "onnxruntime-node has no binaries for this machine", {
      remedy: "Run npm ci; without it the keeper forecasts by the EWMA.",
      cause: error,
    });
  }
}

/** What Python made of the same rows; also the first run, which is the slow one. */
async function checkGolden(folder: string, ask: Ask, width: number): Promise<void> {
  const name = ["golden.json.gz", "golden.json"].find((one) => existsSync(path.join(folder, one))) ?? "golden.json.gz";
  const field = path.join(folder, name);
  const { inputs, outputs } = goldenOf(folder, name);
  const input = inputs.features;
  const rows = input.length;
  if (rows < LEAST_GOLDEN_ROWS) {
    throw refused("MODEL_GOLDEN", `has ${rows} rows; ${LEAST_GOLDEN_ROWS} are needed`, field);
  }
  if (input.some((row) => row.length !== width)) {
    throw refused("MODEL_GOLDEN", "has rows of another length than the card's features", field);
  }
  const said = await ask(
    Float32Array.from(input.flat(), (value) => value ?? NaN),
    rows,
  );
  for (const which of OUTPUTS) {
    const expected = outputs[which].flat();
    if (expected.length !== said[which].length) {
      throw refused("MODEL_GOLDEN", `has another number of answers (${which}) than the model gives`, field);
    }
    const wrong = expected.findIndex((value, k) => !isEqual(said[which][k] as number, value));
    if (wrong < 0) continue;
    const is = `${which} ${wrong} is ${said[which][wrong]} here and ${expected[wrong]} where it was trained`;
    throw refused("MODEL_GOLDEN", is, field);
  }
}

function isEqual(here: number, there: number | null): boolean {
  if (there === null) return Number.isNaN(here);
  return Math.abs(here - there) <= TOLERANCE * Math.max(LEAST_MAGNITUDE, Math.abs(there));
}

function goldenOf(folder: string, name: string): z.output<typeof goldenSchema> {
  const field = path.join(folder, name);
  const bytes = contentOf(folder, name);
  let raw: unknown;
  try {
    raw = JSON.parse((name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString());
  } catch (error) {
    throw refused("MODEL_GOLDEN", "cannot be read", field, error);
  }
  const parsed = goldenSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw refused(
    "MODEL_GOLDEN",
    "does not hold inputs.features, outputs.deviation and outputs.scale as rows of numbers",
    field,
  );
}

const RETRAIN = "Restore the folder as it was trained, or train it anew (ml/README.md); until then the EWMA is served.";

function refused(code: string, message: string, field: string, cause?: unknown): InputFailure {
  return new InputFailure(code, message, { field, remedy: RETRAIN, cause });
}

function cardFile(folder: string): string {
  return path.join(folder, "card.json");
}

function contentOf(folder: string, name: string): Buffer {
  const field = path.join(folder, name);
  try {
    return readFileSync(field);
  } catch (error) {
    throw refused("MODEL_MISSING", "cannot be read", field, error);
  }
}
