// The decision record: every input and the output of one decision as canonical JSON (RFC 8785). Its keccak256 is the
// commitment that the plan carries on-chain, and `replay` recomputes the output from the inputs alone.
import canonicalize from "canonicalize";
import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import { snapshotFromJson, snapshotToJson } from "../chain/snapshotJson";
import type { VaultSnapshot } from "../chain/snapshot";
import { WATCHED_CAUSES } from "../risk/breaker";
import type { GasOutlook } from "./gasTiming";
import type { MemorySettings } from "./memory";
import { firstDifference } from "./textDifference";
import type { Forecast, Hold, OperatorLimits, Plan, RiskInput, Strategy, StrategyInput } from "./strategy";

export const RECORD_FORMAT = "tiller-decision/1";

export interface DecisionRecord {
  /** First 16 hex digits of the hash: short enough to say, long enough not to collide. */
  readonly id: string;
  readonly json: string;
  readonly hash: string;
}

const decimal = z.string().regex(/^-?\d+$/);

const limitsSchema = z.strictObject({
  horizonHours: z.number(),
  minGainUsd: z.number(),
  noTradeBandBps: z.number(),
  cooldownSeconds: z.number(),
  minimumIdle: z.number(),
  venueCaps: z.record(z.string(), z.number()),
  maxShareOfVenue: z.number(),
  maxLossBps: z.number(),
  /** Records of before moves had a minimum have none, and their moves neither. */
  moveToleranceBps: z.number().optional(),
  gasPerMove: z.number(),
  gasPerPlan: z.number(),
  maxFeePerGas: decimal,
  assetUsd: z.number(),
  ethUsd: z.number(),
  deadlineSeconds: z.number(),
});

const forecastSchema = z.strictObject({
  venue: z.string(),
  model: z.string().min(1),
  apr: z.number(),
  currentApr: z.number(),
  historySeconds: z.number(),
  /** Records of forecasts by no trained model have none. */
  trained: z
    .strictObject({
      hash: z.string().regex(/^[0-9a-f]{64}$/),
      horizonHours: z.number(),
      low: z.number(),
      high: z.number(),
    })
    .optional(),
  /** Records of before time frames were looked at have none; likewise `tail` and `gas` below. */
  frames: z.array(z.strictObject({ hours: z.number(), apr: z.number() })).optional(),
});

const gasSchema = z.strictObject({
  likelyBaseFee: decimal.transform(BigInt),
  waitSeconds: z.number(),
  withinSeconds: z.number(),
});

const riskSchema = z.strictObject({
  verdicts: z.array(
    z.strictObject({
      venue: z.string(),
      score: z.number(),
      limit: z.number(),
      advice: z.enum(["reduce", "hold", "may-grow"]),
      reason: z.string(),
    }),
  ),
  scenarios: z.array(
    z.strictObject({
      id: z.string(),
      probabilityPerYear: z.number(),
      lossShare: z.record(z.string(), z.number()),
    }),
  ),
  tail: z.strictObject({ kappa: z.number(), confidence: z.number() }).optional(),
  tripped: z.array(z.strictObject({ cause: z.enum([...WATCHED_CAUSES, "operator"]), detail: z.string() })),
  closing: z.strictObject({ unable: z.array(z.strictObject({ venue: z.string(), why: z.string() })) }).nullable(),
});

const memorySchema = z.strictObject({
  halfLifeHours: z.number().positive(),
  reachSeconds: z.number().positive(),
  gasPatienceSeconds: z.number().nonnegative(),
});

/** What a decision is made of beside the snapshot. */
const inputsSchema = z.strictObject({
  forecasts: z.array(forecastSchema),
  limits: limitsSchema,
  lastRebalanceAt: z.number().nullable(),
  /** Records of before the keeper looked at risk have none, and replay as they are. */
  risk: riskSchema.optional(),
  gas: gasSchema.optional(),
});

const recordSchema = inputsSchema.extend({
  format: z.literal(RECORD_FORMAT),
  snapshot: z.record(z.string(), z.unknown()),
  output: z.record(z.string(), z.unknown()),
});

/** @param output What the strategy made of `input`. */
export function recordOf(input: StrategyInput, output: Plan | Hold): DecisionRecord {
  const json = canonical({
    format: RECORD_FORMAT,
    snapshot: snapshotToJson(input.snapshot),
    ...inputsToJson(input),
    output: outputToJson(output),
  });
  const hash = keccak256(toUtf8Bytes(json));
  return { id: hash.slice(2, 18), json, hash };
}

/** All but the snapshot, canonical JSON: what a tick leaves where it stores no whole record. */
export function inputsText(input: StrategyInput): string {
  return canonical(inputsToJson(input));
}

/** How a process remembers, canonical JSON. */
export function memoryText(settings: MemorySettings): string {
  return canonical(settings);
}

/** @throws InputFailure `RECORD_MALFORMED`. */
export function memoryOf(text: string): MemorySettings {
  return parsed(memorySchema, text);
}

/** The input again. @throws InputFailure `RECORD_MALFORMED`. */
export function inputFrom(snapshot: VaultSnapshot, inputs: string): StrategyInput {
  return { snapshot, ...ofJson(parsed(inputsSchema, inputs)) };
}

export interface ReplayResult {
  readonly input: StrategyInput;
  readonly output: Plan | Hold;
  /** The record that the recomputed decision gives. */
  readonly recomputed: DecisionRecord;
}

/**
 * Recomputes a decision from its stored record.
 * @throws InputFailure `RECORD_ALTERED` when the text does not hash to `expectedHash`, `RECORD_MALFORMED` when it is
 * no record, `RECORD_DIFFERS` when the strategy makes something else of the recorded inputs.
 */
export function replay(json: string, expectedHash: string, strategy: Strategy): ReplayResult {
  const hash = keccak256(toUtf8Bytes(json));
  if (hash !== expectedHash) {
    throw new InputFailure("RECORD_ALTERED", `the stored record hashes to ${hash}, not to ${expectedHash}`, {
      field: "record",
      remedy: "The row was changed after it was written: restore it from a backup and find out who wrote to the table.",
    });
  }
  const input = inputOf(json);
  const output = strategy(input);
  const recomputed = recordOf(input, output);
  if (recomputed.json !== json) {
    throw new InputFailure(
      "RECORD_DIFFERS",
      `this version decides otherwise: ${firstDifference(json, recomputed.json)}`,
      {
        field: "record",
        remedy: "Replay it with the version of Tiller that made the decision.",
      },
    );
  }
  return { input, output, recomputed };
}

function inputOf(json: string): StrategyInput {
  const { snapshot, ...inputs } = parsed(recordSchema, json);
  return { snapshot: snapshotFromJson(snapshot), ...ofJson(inputs) };
}

function parsed<T>(schema: z.ZodType<T>, json: string): T {
  const malformed = (detail: string): InputFailure =>
    new InputFailure("RECORD_MALFORMED", detail, {
      field: "record",
      remedy: "Replay it with the version of Tiller that wrote it.",
    });
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    throw malformed("the record is not JSON");
  }
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw malformed(`${issue?.path.join(".") ?? "record"}: ${issue?.message ?? "unreadable"}`);
}

function inputsToJson({ forecasts, limits, lastRebalanceAt, risk, gas }: StrategyInput): object {
  return {
    forecasts,
    limits: { ...limits, maxFeePerGas: limits.maxFeePerGas.toString() },
    lastRebalanceAt,
    ...(risk === undefined ? {} : { risk }),
    ...(gas === undefined ? {} : { gas: { ...gas, likelyBaseFee: gas.likelyBaseFee.toString() } }),
  };
}

function ofJson({
  forecasts,
  limits,
  lastRebalanceAt,
  risk,
  gas,
}: z.infer<typeof inputsSchema>): Omit<StrategyInput, "snapshot"> {
  return {
    forecasts: forecasts satisfies readonly Forecast[],
    limits: { ...limits, maxFeePerGas: BigInt(limits.maxFeePerGas) } satisfies OperatorLimits,
    lastRebalanceAt,
    ...(risk === undefined ? {} : { risk: risk satisfies RiskInput }),
    ...(gas === undefined ? {} : { gas: gas satisfies GasOutlook }),
  };
}

function outputToJson(output: Plan | Hold): unknown {
  if (output.action === "hold") return output;
  return {
    ...output,
    nonce: output.nonce.toString(),
    maxLoss: output.maxLoss.toString(),
    moves: output.moves.map(({ assets, minimum, ...move }) => ({
      ...move,
      ...{ assets: assets.toString(), ...(minimum === 0n ? {} : { minimum: minimum.toString() }) },
    })),
  };
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a decision record cannot be empty");
  return text;
}
