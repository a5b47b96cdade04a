// A trained model's folder: `model.onnx`, `card.json`, `golden.json(.gz)`. Nothing of it is believed: the file has to be the one that
// the card is of, its features ours, and its answers those that were written down where it was trained.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type * as Onnx from "onnxruntime-node";
import { z } from "zod";
import { InputFailure, WorldFailure } from "../config/failure";
import type { BaseCard } from "./card";
import { OF_RATES, type FeatureSet } from "./features";
import { opsetsOf } from "./opset";

/** What is not served here is what the runtime may learn later than the trainers. */
const MOST_OPSET = 20;
const LEAST_GOLDEN_ROWS = 200;
/** Of the larger of the value and a tenth of a point: answers are float32, summed in another order on another machine. */
const TOLERANCE = 1e-5;
const LEAST_MAGNITUDE = 1e-3;

const matrix = z.array(z.array(z.number().nullable()));
const goldenSchema = z.object({
  inputs: z.object({ features: matrix }),
  outputs: z.record(z.string(), matrix),
});

/** A model that was read, checked and warmed up. */
export interface OpenModel<Output extends string> {
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /**
   * @param features Rows of the set, of which the model takes those that its card names.
   * @returns by output: shape [rows, what the card says].
   * @throws WorldFailure `MODEL_RUNTIME`.
   */
  run(features: Float64Array, rows: number): Promise<Record<Output, Float32Array>>;
}

/**
 * Reads, checks and warms up the model that a card is of.
 *
 * @param of.outputs By name: how many columns each has to have.
 * @param of.set What it is asked with. Default: the features of rates.
 * @throws InputFailure `MODEL_MISSING`, `MODEL_HASH`, `MODEL_OPSET`, `MODEL_FEATURES`, `MODEL_INPUT`, `MODEL_GOLDEN`;
 * WorldFailure `MODEL_RUNTIME`.
 */
export async function openModel<Output extends string>(
  folder: string,
  of: { readonly card: BaseCard; readonly outputs: Readonly<Record<Output, number>>; readonly set?: FeatureSet },
): Promise<OpenModel<Output>> {
  const { card, outputs, set = OF_RATES } = of;
  const bytes = contentOf(folder, "model.onnx");
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (hash !== card.sha256) {
    throw refused("MODEL_HASH", "is not the file that its card is of", path.join(folder, "model.onnx"));
  }
  checkOpset(folder, card, bytes);
  const columns = columnsOf(folder, card, set);
  if (card.input.kind !== "row") {
    throw refused("MODEL_INPUT", "takes windows, and only models of single rows are served", cardFile(folder));
  }
  const session = await sessionOf(folder, bytes, Object.keys(outputs));
  const ask = asker(session, { inputs: columns.length, outputs });
  await checkGolden(folder, ask, { width: columns.length, outputs: Object.keys(outputs) as Output[] });
  return {
    hash,
    run(features, rows) {
      const input = new Float32Array(rows * columns.length);
      for (let row = 0; row < rows; row += 1) {
        columns.forEach((column, k) => {
          input[row * columns.length + k] = features[row * set.features.length + column] as number;
        });
      }
      return ask(input, rows);
    },
  };
}

type Ask<Output extends string> = (input: Float32Array, rows: number) => Promise<Record<Output, Float32Array>>;

function asker<Output extends string>(
  session: Onnx.InferenceSession,
  of: { readonly inputs: number; readonly outputs: Readonly<Record<Output, number>> },
): Ask<Output> {
  const names = Object.keys(of.outputs) as Output[];
  return async (input, rows) => {
    const ort = await runtime();
    let answer: Onnx.InferenceSession.OnnxValueMapType;
    try {
      answer = await session.run({ features: new ort.Tensor("float32", input, [rows, of.inputs]) }, [...names]);
    } catch (error) {
      throw new WorldFailure("MODEL_RUNTIME", "the model does not run", { remedy: RETRAIN, cause: error });
    }
    const found = names.map((name) => {
      const data = (answer[name] as Onnx.Tensor | undefined)?.data;
      if (data instanceof Float32Array && data.length === rows * of.outputs[name]) return [name, data] as const;
      throw new WorldFailure("MODEL_RUNTIME", "the model's answer has another shape or kind than its card says", {
        remedy: RETRAIN,
      });
    });
    return Object.fromEntries(found) as Record<Output, Float32Array>;
  };
}

function checkOpset(folder: string, card: BaseCard, bytes: Buffer): void {
  const field = path.join(folder, "model.onnx");
  const opset = opsetsOf(bytes)?.get("");
  if (opset === undefined) throw refused("MODEL_OPSET", "is no ONNX model that names its operators", field);
  if (opset !== card.opset) throw refused("MODEL_OPSET", `asks for opset ${opset}, its card for ${card.opset}`, field);
  if (opset > MOST_OPSET)
    throw refused("MODEL_OPSET", `asks for opset ${opset}; served are up to ${MOST_OPSET}`, field);
}

/** Where each of the model's features is among ours: some of them, in the order that data sets have them. */
function columnsOf(folder: string, card: BaseCard, { features, version }: FeatureSet): number[] {
  const field = cardFile(folder);
  if (card.featureVersion !== version) {
    const is = `is for version ${card.featureVersion} of the features, which are at ${version} now`;
    throw refused("MODEL_FEATURES", is, field);
  }
  let last = -1;
  return card.features.map(({ name, unit }) => {
    const column = features.findIndex((feature) => feature.name === name);
    if (column < 0) throw refused("MODEL_FEATURES", `takes a feature ${JSON.stringify(name)} that there is not`, field);
    const ours = features[column]?.unit;
    if (ours !== unit) {
      const is = `takes ${name} in ${JSON.stringify(unit)}; here it is in ${JSON.stringify(ours)}`;
      throw refused("MODEL_FEATURES", is, field);
    }
    if (column <= last) throw refused("MODEL_FEATURES", `takes ${name} out of the data sets' order`, field);
    last = column;
    return column;
  });
}

async function sessionOf(folder: string, bytes: Buffer, outputs: readonly string[]): Promise<Onnx.InferenceSession> {
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
  const lacking = outputs.filter((name) => !session.outputNames.includes(name));
  if (session.inputNames.join() === "features" && lacking.length === 0) return session;
  const has = `takes ${session.inputNames.join(", ")} and gives ${session.outputNames.join(", ")}`;
  throw refused("MODEL_INPUT", `${has}, not features for ${outputs.join(" and ")}`, field);
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
async function checkGolden<Output extends string>(
  folder: string,
  ask: Ask<Output>,
  of: { readonly width: number; readonly outputs: readonly Output[] },
): Promise<void> {
  const name = ["golden.json.gz", "golden.json"].find((one) => existsSync(path.join(folder, one))) ?? "golden.json.gz";
  const field = path.join(folder, name);
  const { inputs, outputs } = goldenOf(folder, { name, outputs: of.outputs });
  const input = inputs.features;
  const rows = input.length;
  if (rows < LEAST_GOLDEN_ROWS) {
    throw refused("MODEL_GOLDEN", `has ${rows} rows; ${LEAST_GOLDEN_ROWS} are needed`, field);
  }
  if (input.some((row) => row.length !== of.width)) {
    throw refused("MODEL_GOLDEN", "has rows of another length than the card's features", field);
  }
  const said = await ask(
    Float32Array.from(input.flat(), (value) => value ?? NaN),
    rows,
  );
  for (const which of of.outputs) {
    const expected = (outputs[which] ?? []).flat();
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

function goldenOf(
  folder: string,
  of: { readonly name: string; readonly outputs: readonly string[] },
): z.output<typeof goldenSchema> {
  const field = path.join(folder, of.name);
  const bytes = contentOf(folder, of.name);
  let raw: unknown;
  try {
    raw = JSON.parse((of.name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString());
  } catch (error) {
    throw refused("MODEL_GOLDEN", "cannot be read", field, error);
  }
  const parsed = goldenSchema.safeParse(raw);
  if (parsed.success && of.outputs.every((name) => parsed.data.outputs[name] !== undefined)) return parsed.data;
  const wanted = ["inputs.features", ...of.outputs.map((name) => `outputs.${name}`)].join(", ");
  throw refused("MODEL_GOLDEN", `does not hold ${wanted} as rows of numbers`, field);
}

const RETRAIN = "Restore the folder as it was trained, or train it anew (ml/README.md); until then the EWMA is served.";

export function refused(code: string, message: string, field: string, cause?: unknown): InputFailure {
  return new InputFailure(code, message, { field, remedy: RETRAIN, cause });
}

export function cardFile(folder: string): string {
  return path.join(folder, "card.json");
}

export function contentOf(folder: string, name: string): Buffer {
  const field = path.join(folder, name);
  try {
    return readFileSync(field);
  } catch (error) {
    throw refused("MODEL_MISSING", "cannot be read", field, error);
  }
}
