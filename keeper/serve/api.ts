// The read-only HTTP API. Every answer is JSON; every refusal is a typed body that names the field and the remedy.
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { DecisionStatus, PageDecision, PageView, StatusView } from "../app/view";
import { RequestFailure } from "./refusal";
import { within, type ViewSource } from "./source";

const DEFAULT_DECISIONS = 50;
const MOST_DECISIONS = 200;

const noQuery = z.strictObject({});
const decisionsQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .transform(Number)
    .refine((limit) => limit <= MOST_DECISIONS)
    .optional(),
});
const decisionParams = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) });

export interface ApiOptions {
  readonly source: ViewSource;
  readonly current: () => Promise<PageView>;
  /** Longest wait for the source, milliseconds. */
  readonly limitMs: number;
}

export function addApi(app: FastifyInstance, { source, current, limitMs }: ApiOptions): void {
  app.get("/api/status", async (request): Promise<StatusView> => {
    parse(noQuery, request.query, "takes no parameters");
    return statusOf(await current());
  });

  app.get("/api/view", async (request): Promise<PageView> => {
    parse(noQuery, request.query, "takes no parameters");
    return current();
  });

  app.get("/api/decisions", async (request): Promise<{ decisions: readonly PageDecision[] }> => {
    const { limit } = parse(decisionsQuery, request.query, `takes limit, a whole number from 1 to ${MOST_DECISIONS}`);
    const { decisions } = await current();
    return { decisions: decisions.slice(0, limit ?? DEFAULT_DECISIONS) };
  });

  app.get("/api/decisions/:id", async (request) => {
    const { id } = parse(decisionParams, request.params, "takes the 16 lower-case hex digits of a decision's id");
    parse(noQuery, request.query, "takes no parameters");
    const detail = await within(
      limitMs,
      Promise.resolve().then(() => source.decision(id)),
    );
    if (detail === null) {
      throw new RequestFailure(404, "DECISION_UNKNOWN", `there is no decision ${id}`, {
        field: "id",
        remedy: "List the decisions with GET /api/decisions.",
      });
    }
    return detail;
  });

  app.get("/health", async (_request, reply) => {
    const { alive, reasons } = source.health();
    return reply.code(alive ? 200 : 503).send({ alive, reasons });
  });

  app.get("/ready", async (_request, reply) => {
    const { ready, reasons } = source.health();
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
}

/** Exactly the fields of the command `tiller status --json`, whatever else the view carries. */
export function statusOf(view: PageView): StatusView {
  return {
    vault: view.vault,
    block: view.block,
    totalAssets: view.totalAssets,
    sharePrice: view.sharePrice,
    breaker: view.breaker,
    allocations: view.allocations.map(({ venue, assets, quarantined, pool }) => ({
      ...{ venue, assets, quarantined },
      ...(pool === undefined ? {} : { pool }),
    })),
    decisions: view.decisions.map(({ id, action, state, reason }): DecisionStatus => ({ id, action, state, reason })),
    bundles: { included: view.bundles.included, missed: view.bundles.missed },
  };
}

/** The parsed value, or a `RequestFailure` that names the first field at fault. */
function parse<T>(schema: z.ZodType<T>, value: unknown, rule: string): T {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const issue = result.error.issues[0];
  const field = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path[0];
  throw new RequestFailure(400, "PARAMETER_INVALID", `this route ${rule}`, {
    field: String(field ?? "query").slice(0, 40),
    remedy: "Correct or leave out the parameter.",
  });
}
