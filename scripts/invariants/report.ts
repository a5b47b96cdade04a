// What `forge test --json` says, as the tables and `npm test` need it.
import { z } from "zod";

export interface Outcome {
  readonly name: string;
  readonly contract: string;
  /** Why it failed, with the shortest sequence of calls that was found. */
  readonly failure?: string;
  readonly counts?: { readonly runs: number; readonly calls: number; readonly reverts: number };
  readonly calls: readonly { readonly handler: string; readonly calls: number; readonly reverts: number }[];
}

const step = z.object({
  contract_name: z.string().nullish(),
  func_name: z.string().nullish(),
  signature: z.string().nullish(),
  args: z.string().nullish(),
  raw_args: z.string().nullish(),
});

const result = z.object({
  status: z.enum(["Success", "Failure", "Skipped"]),
  reason: z.string().nullish(),
  counterexample: z.unknown().optional(),
  kind: z
    .object({
      Invariant: z
        .object({
          runs: z.number(),
          calls: z.number(),
          reverts: z.number(),
          metrics: z.record(z.string(), z.object({ calls: z.number(), reverts: z.number() })).default({}),
        })
        .optional(),
    })
    .optional(),
});

const report = z.record(z.string(), z.object({ test_results: z.record(z.string(), result) }));

/** @param output All that forge wrote; lines that are no report (its progress, as JSON too) are passed over. */
export function parseReport(output: string): Outcome[] {
  for (const line of output.split("\n").reverse()) {
    if (!line.startsWith("{")) continue;
    const parsed = report.safeParse(JSON.parse(line));
    if (parsed.success) return Object.entries(parsed.data).flatMap(([place, suite]) => outcomesOf(place, suite));
  }
  return [];
}

function outcomesOf(place: string, suite: z.infer<typeof report>[string]): Outcome[] {
  const contract = place.slice(place.lastIndexOf(":") + 1);
  return Object.entries(suite.test_results).map(([signature, found]) => {
    const counts = found.kind?.Invariant;
    return {
      name: signature.replace(/\(.*$/, ""),
      contract,
      ...(found.status === "Success" ? {} : { failure: failureOf(found) }),
      ...(counts === undefined ? {} : { counts: { runs: counts.runs, calls: counts.calls, reverts: counts.reverts } }),
      calls: Object.entries(counts?.metrics ?? {}).map(([handler, { calls, reverts }]) => ({
        handler: handler.slice(handler.lastIndexOf(":") + 1),
        calls,
        reverts,
      })),
    };
  });
}

function failureOf({ status, reason, counterexample }: z.infer<typeof result>): string {
  const steps = stepsIn(counterexample).map(
    ({ contract_name: contract, func_name: name, signature, args, raw_args: raw }) =>
      `  ${(contract ?? "").replace(/^.*:/, "")}.${name ?? (signature ?? "").replace(/\(.*$/, "")}(${raw ?? args ?? ""})`,
  );
  return [reason ?? status, ...steps].join("\n");
}

/** Forge nests the calls of a sequence differently by version. */
function stepsIn(value: unknown): z.infer<typeof step>[] {
  if (Array.isArray(value)) return value.flatMap(stepsIn);
  if (typeof value !== "object" || value === null) return [];
  if ("calldata" in value) {
    const parsed = step.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  }
  return Object.values(value).flatMap(stepsIn);
}
