// A model's card: what it was trained on, what it takes and gives, how good it was. Written where it is trained, beside the file.
import { z } from "zod";

export const CARD_FORMAT = "tiller-model/1";

const number = z.number();
const positiveInteger = z.number().int().positive();
const window = z.object({ from: z.number().int(), to: z.number().int() }).refine(({ from, to }) => from <= to, {
  message: "ends before it begins",
});

const featureStats = z.object({
  mean: number.nullable(),
  sd: number.nullable(),
  p01: number.nullable(),
  p50: number.nullable(),
  p99: number.nullable(),
  nanShare: z.number().min(0).max(1),
});

/** Of a feature's values on the rows of the training; null where it had none. */
export type FeatureStats = z.output<typeof featureStats>;

/** Of any trained model. Fields beyond these are kept and shown. */
const baseSchema = z.looseObject({
  format: z.literal(CARD_FORMAT),
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, "is no name: lower-case letters, digits, hyphens and dots"),
  kind: z.string().min(1),
  /** `evaluation`: frozen before the span that it is judged on; `served`: trained on all there was. */
  role: z.enum(["evaluation", "served"]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256 in hex"),
  opset: positiveInteger,
  featureVersion: z.number().int(),
  features: z.array(z.object({ name: z.string(), unit: z.string() })).min(1),
  input: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("row") }),
    z.object({ kind: z.literal("window"), steps: positiveInteger, stepSeconds: positiveInteger }),
  ]),
  /** Unix seconds: rows whose target lies in it were seen. */
  trainWindow: window,
  trainSeries: z.array(z.string()),
  dataHash: z.string(),
  codeCommit: z.string(),
  seed: z.number(),
  /** By feature. */
  featureStats: z.record(z.string(), featureStats),
});

/** Of rates. */
const cardSchema = baseSchema.extend({
  horizonsHours: z.array(positiveInteger).min(1),
  servedHorizonsHours: z.array(positiveInteger),
  /** By horizon in hours; fractions a year. */
  errorStats: z.record(z.string(), z.object({ mae: z.number().positive() })),
});

const probability = z.number().min(0).max(1);

/** Of an event that may come. */
const riskCardSchema = baseSchema.extend({
  event: z.object({
    name: z.string().min(1),
    horizonHours: positiveInteger,
    /** Probabilities from which a class is Medium, and High. */
    classes: z.tuple([probability, probability]).refine(([medium, high]) => medium < high, {
      message: "the second is not above the first",
    }),
    /** How often it came within the horizon, where the model was scored. */
    prevalence: probability,
  }),
});

export type BaseCard = z.output<typeof baseSchema>;
export type RiskCard = z.output<typeof riskCardSchema>;
export type Card = z.output<typeof cardSchema>;

/**
 * Of models that were trained before a span the one that was trained last; else the one that leaves most of it, for hours that a
 * model was trained on do not count. Null where there is none.
 *
 * @param trainedTo Unix seconds.
 */
export function latestBefore<T>(
  span: { readonly from: number },
  models: readonly T[],
  trainedTo: (model: T) => number,
): T | null {
  const byEnd = [...models].sort((a, b) => trainedTo(a) - trainedTo(b));
  return byEnd.findLast((one) => trainedTo(one) <= span.from) ?? byEnd[0] ?? null;
}

/** @returns the card, or what is wrong with the text in words. */
export const cardOf = (text: string): Card | string => parsedBy(cardSchema, text);
/** As {@link cardOf}. */
export const riskCardOf = (text: string): RiskCard | string => parsedBy(riskCardSchema, text);

function parsedBy<T>(schema: z.ZodType<T>, text: string): T | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join(".") || "card"}: ${issue?.message ?? "unreadable"}`;
}
