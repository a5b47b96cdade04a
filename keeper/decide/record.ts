// The decision record: every input and the output of one decision as canonical JSON (RFC 8785). Its keccak256 is the
// commitment that the plan carries on-chain, and `replay` recomputes the output from the inputs alone.
import canonicalize from "canonicalize";
import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import { snapshotFromJson, snapshotToJson } from "../chain/snapshotJson";
import { WATCHED_CAUSES } from "../risk/breaker";
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
  tripped: z.array(z.strictObject({ cause: z.enum([...WATCHED_CAUSES, "operator"]), detail: z.string() })),
  closing: z.strictObject({ unable: z.array(z.strictObject({ venue: z.string(), why: z.string() })) }).nullable(),
});

const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  snapshot: z.record(z.string(), z.unknown()),
  forecasts: z.array(forecastSchema),
  limits: limitsSchema,
  lastRebalanceAt: z.number().nullable(),
  /** Records of before the keeper looked at risk have none, and replay as they are. */
  risk: riskSchema.optional(),
  output: z.record(z.string(), z.unknown()),
});

/** @param output What the strategy made of `input`. */
export function recordOf(input: StrategyInput, output: Plan | Hold): DecisionRecord {
  const json = canonical({
    format: RECORD_FORMAT,
    snapshot: snapshotToJson(input.snapshot),
    forecasts: input.forecasts,
    limits: { ...input.limits, maxFeePerGas: input.limits.maxFeePerGas.toString() },
    lastRebalanceAt: input.lastRebalanceAt,
    ...(input.risk === undefined ? {} : { risk: input.risk }),
    output: outputToJson(output),
  });
  const hash = keccak256(toUtf8Bytes(json));
  return { id: hash.slice(2, 18), json, hash };
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
  const parsed = recordSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${issue?.path.join(".") ?? "record"}: ${issue?.message ?? "unreadable"}`);
  }
  const { snapshot, forecasts, limits, lastRebalanceAt, risk } = parsed.data;
  return {
    snapshot: snapshotFromJson(snapshot),
    forecasts: forecasts satisfies readonly Forecast[],
    limits: { ...limits, maxFeePerGas: BigInt(limits.maxFeePerGas) } satisfies OperatorLimits,
    lastRebalanceAt,
    ...(risk === undefined ? {} : { risk: risk satisfies RiskInput }),
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

function firstDifference(stored: string, recomputed: string): string {
  let at = 0;
  while (at < stored.length && stored[at] === recomputed[at]) at += 1;
  const around = (text: string): string => text.slice(Math.max(0, at - 20), at + 20);
  return `"${around(stored)}" is recorded where "${around(recomputed)}" is computed`;
}
