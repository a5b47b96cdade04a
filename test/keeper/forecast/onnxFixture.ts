// A small model in ONNX's own bytes, so that tests need no Python: linear in the features, with NaN taken for zero. Field numbers
// are those of the messages in ONNX's onnx.proto.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Card } from "../../../keeper/forecast/card";
import { FEATURES, FEATURE_VERSION, HORIZONS } from "../../../keeper/forecast/features";
import { seeded } from "../../../scripts/bench/randomProblems";

const FLOAT = 1;
const IR_VERSION = 9;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
function bytes(field: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function node(kind: string, inputs: readonly string[], output: string): Buffer {
  return bytes(1, Buffer.concat([...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, kind)]));
}

function constant(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.from(Float32Array.from(values).buffer);
  return bytes(5, Buffer.concat([...shape.map((n) => number(1, n)), number(2, FLOAT), bytes(8, name), bytes(9, raw)]));
}

/** Shape [n, columns]. */
function value(field: number, name: string, columns: number): Buffer {
  const shape = bytes(2, Buffer.concat([bytes(1, bytes(2, "n")), bytes(1, number(1, columns))]));
  const type = bytes(1, Buffer.concat([number(1, FLOAT), shape]));
  return bytes(field, Buffer.concat([bytes(1, name), bytes(2, type)]));
}

export interface LinearModel {
  readonly features?: readonly string[];
  /** By feature: what it adds to the deviation at each horizon. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly bias?: number;
  readonly scale?: number;
  readonly opset?: number;
  readonly outputs?: readonly [string, string];
}

/** The file: deviation = features · weights + bias, at every horizon; scale is the same everywhere. */
export function linearOnnx(model: LinearModel = {}): Buffer {
  const names = model.features ?? FEATURES.map(({ name }) => name);
  const [rows, columns] = [names.length, HORIZONS.length];
  const { weights = {}, bias = 0, scale = 0.01, opset = 17, outputs = ["deviation", "scale"] } = model;
  const matrix = names.flatMap((name) => HORIZONS.map(() => weights[name] ?? 0));
  const zeros = names.flatMap(() => HORIZONS.map(() => 0));
  const graph = Buffer.concat([
    node("IsNaN", ["features"], "unknown"),
    node("Where", ["unknown", "zero", "features"], "known"),
    node("Gemm", ["known", "weights", "bias"], outputs[0]),
    node("Gemm", ["known", "zeros", "scales"], outputs[1]),
    bytes(2, "linear"),
    constant("zero", [], [0]),
    constant("weights", [rows, columns], matrix),
    constant("zeros", [rows, columns], zeros),
    constant(
      "bias",
      [columns],
      HORIZONS.map(() => bias),
    ),
    constant(
      "scales",
      [columns],
      HORIZONS.map(() => scale),
    ),
    value(11, "features", rows),
    value(12, outputs[0], columns),
    value(12, outputs[1], columns),
  ]);
  return Buffer.concat([number(1, IR_VERSION), bytes(8, number(2, opset)), bytes(7, graph)]);
}

export function cardOfModel(model: LinearModel, over: Partial<Card> = {}): Card {
  const names = model.features ?? FEATURES.map(({ name }) => name);
  return {
    ...{ format: "tiller-model/1", name: "linear", kind: "linear", role: "served" },
    sha256: createHash("sha256").update(linearOnnx(model)).digest("hex"),
    ...{ opset: model.opset ?? 17, featureVersion: FEATURE_VERSION },
    features: names.map((name) => ({ name, unit: FEATURES.find((one) => one.name === name)?.unit ?? "?" })),
    input: { kind: "row" },
    ...{ horizonsHours: [...HORIZONS], servedHorizonsHours: [24, 168] },
    ...{ trainWindow: { from: 0, to: 1_600_000_000 }, trainSeries: ["one-usdc"], dataHash: "d".repeat(64) },
    ...{ codeCommit: "c".repeat(40), seed: 1 },
    featureStats: Object.fromEntries(
      names.map((name) => [name, { mean: 0, sd: 1, p01: -1e9, p50: 0, p99: 1e9, nanShare: 0.5 }]),
    ),
    errorStats: Object.fromEntries(HORIZONS.map((hours) => [String(hours), { mae: 0.01 }])),
    ...over,
  } as Card;
}

/** Rows with their answers, worked out here in float64. */
export function goldenOf(model: LinearModel, rows = 200): object {
  const random = seeded(9);
  const names = model.features ?? FEATURES.map(({ name }) => name);
  const input = Array.from({ length: rows }, () =>
    names.map(() => (random() < 0.1 ? null : Math.fround(random() * 0.2))),
  );
  const { weights = {}, bias = 0, scale = 0.01 } = model;
  const deviation = input.map((row) => {
    const sum = row.reduce<number>((total, x, k) => total + (x ?? 0) * (weights[names[k] as string] ?? 0), bias);
    return HORIZONS.map(() => sum);
  });
  return { inputs: { features: input }, outputs: { deviation, scale: input.map(() => HORIZONS.map(() => scale)) } };
}

/** Writes the three files to `folder`/`name`, which is made. */
export function writeModel(folder: string, model: LinearModel, over: Partial<Card> = {}): string {
  const card = cardOfModel(model, over);
  const place = path.join(folder, card.name);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, "model.onnx"), linearOnnx(model));
  writeFileSync(path.join(place, "card.json"), JSON.stringify(card));
  writeFileSync(path.join(place, "golden.json.gz"), gzipSync(JSON.stringify(goldenOf(model))));
  return place;
}
