// The border of the allocator: a problem as text becomes a typed problem with every default filled in, or one failure
// that names the field and the remedy. Keys that the shape does not know are refused, since a misspelt `costBps` would
// silently cost money.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import { parseJson, pathText } from "./jsonText";
import type { AllocationProblem } from "./problem";

/** Beyond any amount of money and any rate: a number that large is a slip, and its square would overflow. */
const MOST_USD = 1e18;
const MOST_RATE = 1e6;

const usd = z.number().min(0).max(MOST_USD);
const rate = z.number().min(0).max(MOST_RATE);
const signedRate = z.number().min(-MOST_RATE).max(MOST_RATE);
const share = z.number().min(0).max(1);

const model = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("aave"),
    supplied: usd,
    borrowed: usd,
    base: rate,
    slope1: rate,
    slope2: rate,
    kink: share,
    reserveFactor: share,
  }),
  z.strictObject({
    kind: z.literal("kinked-supply"),
    supplied: usd,
    borrowed: usd,
    base: rate,
    slopeLow: rate,
    slopeHigh: rate,
    kink: share,
  }),
  z.strictObject({ kind: z.literal("fixed"), apr: signedRate }),
  z.strictObject({ kind: z.literal("liquidity"), pool: usd, fees: usd, apr: signedRate.default(0) }),
]);

const venue = z.strictObject({
  id: z.string().min(1),
  current: usd.default(0),
  cap: usd.optional(),
  floor: usd.default(0),
  costBps: rate.default(0),
  impactBpsPerMillion: rate.default(0),
  expectedLossApr: rate.default(0),
  model,
});

const tail = z.strictObject({
  kappa: rate,
  confidence: z.number().min(0).lt(1).default(0.95),
  scenarios: z.array(z.strictObject({ probability: share, losses: z.record(z.string().min(1), share) })),
});

const problem = z.strictObject({
  total: usd,
  horizonHours: z.number().gt(0).max(MOST_RATE),
  gasUsdPerMove: usd,
  minIdle: usd.default(0),
  groups: z.array(z.strictObject({ ids: z.array(z.string().min(1)), cap: usd })).default([]),
  venues: z.array(venue),
  tail: tail.optional(),
});

/**
 * The problem in a JSON file (`-`: standard input).
 * @throws InputFailure `PROBLEM_FILE`, `PROBLEM_JSON` or `PROBLEM_FIELD`.
 */
export function readProblem(file: string): AllocationProblem {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : `it cannot be read`;
    throw new InputFailure("PROBLEM_FILE", `cannot read ${file}: ${why}${code === undefined ? "" : ` (${code})`}`, {
      field: "--problem",
      remedy: "Give the path of a JSON file with the problem, or - for standard input.",
      cause,
    });
  }
  return parseProblem(text, file === "-" ? "standard input" : file);
}

/** @throws InputFailure as `readProblem`; `source` is what the text is called in the message. */
export function parseProblem(text: string, source: string): AllocationProblem {
  const json = parseJson(text.replace(/^\uFEFF/, ""));
  if (!json.ok) {
    const { line, column, path, found } = json.fault;
    const odd = /^[+-]?(nan|inf)/i.test(found);
    const what = found === "" ? "the text ends too early" : odd ? `${found} is not a number` : `unexpected ${found}`;
    throw new InputFailure("PROBLEM_JSON", `${source} is not JSON: ${what} at line ${line}, column ${column}`, {
      field: path === "" ? "--problem" : path,
      remedy: odd ? "Give a finite number." : "Correct the text there.",
    });
  }
  const parsed = problem.safeParse(json.value);
  if (!parsed.success) throw fieldFailure(parsed.error.issues[0] as z.core.$ZodIssue, json.value);
  const { total, venues, tail: risk, ...rest } = parsed.data;
  const capped = venues.map((one) => ({ ...one, cap: one.cap ?? total }));
  return { total, ...rest, venues: capped, ...(risk && { tail: risk }) };
}

function fieldFailure(issue: z.core.$ZodIssue, root: unknown): InputFailure {
  const fail = (path: readonly PropertyKey[], message: string, remedy: string): InputFailure =>
    new InputFailure("PROBLEM_FIELD", message, { field: pathText(path) || "--problem", remedy });
  const found = valueAt(root, issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return fail([...issue.path, issue.keys[0] ?? ""], "no such field", "Correct its name or take it out.");
    case "invalid_union":
      return found === undefined
        ? fail(issue.path, "is missing", "Give one of aave, kinked-supply, fixed, liquidity.")
        : fail(issue.path, `unknown kind ${shown(found)}`, "Use one of aave, kinked-supply, fixed, liquidity.");
    case "too_small":
      return issue.origin === "string"
        ? fail(issue.path, "is empty", "Give it a name.")
        : fail(
            issue.path,
            `is ${shown(found)}`,
            `Give a number ${issue.inclusive ? "of at least" : "above"} ${issue.minimum}.`,
          );
    case "too_big":
      return fail(issue.path, `is ${shown(found)}`, `Give a number of at most ${issue.maximum}.`);
    case "invalid_type":
      if (found === undefined)
        return fail(issue.path, "is missing", `Add it: ${KINDS[issue.expected] ?? issue.expected}.`);
      return fail(issue.path, `is ${shown(found)}`, `Give ${KINDS[issue.expected] ?? issue.expected}.`);
    default:
      return fail(issue.path, issue.message, "Correct it.");
  }
}

const KINDS: Readonly<Record<string, string>> = {
  number: "a finite number",
  string: "a string",
  object: "an object",
  array: "a list",
};

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], root);
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : typeof value === "object" ? "an object" : String(value);
}
