// A subgraph's server: The Graph's gateway in front of graph-node. Answers in their shapes and refuses what they refuse, in
// their words: a missing key, `first` over 1,000, unknown fields and filters, wrong types of variables, blocks that it does
// not have. All of that with HTTP 200; only too many requests are 429.
import { type Query, type Selection, type Value, parseQuery } from "./graphqlText";
import type { Entity, PoolHistory } from "./poolModel";
import { type Asked, type Reply, type ScriptedServer, json, scriptedServer, status } from "./scriptedServer";

export const KEY = "0123456789abcdef0123456789abcdef";

export interface GraphServerOptions {
  readonly head?: number;
  readonly start?: number;
  readonly hasIndexingErrors?: boolean;
  /** Of each answer in turn; the last one for ever. */
  readonly deployments?: readonly string[];
  /** Requests that are answered before one 429. */
  readonly limitEvery?: number;
  /** In place of the answer to the request with this index. */
  readonly instead?: Readonly<Record<number, Reply>>;
  /** Entities as the index wrongly has them. */
  readonly entities?: Partial<PoolHistory["entities"]>;
  /** What becomes of a page before it is sent. */
  readonly page?: (page: readonly unknown[]) => readonly unknown[];
}

class Refusal extends Error {}

/** Fields of the schema that tests need; `transaction` is an entity of its own. */
const EVENT = "id transaction timestamp pool origin amount0 amount1 amountUSD logIndex";
const TYPES: Readonly<Record<string, { readonly name: string; readonly fields: string }>> = {
  swaps: { name: "Swap", fields: `${EVENT} sender recipient sqrtPriceX96 tick` },
  mints: { name: "Mint", fields: `${EVENT} owner sender amount tickLower tickUpper` },
  burns: { name: "Burn", fields: `${EVENT} owner amount tickLower tickUpper` },
  ticks: { name: "Tick", fields: "id pool tickIdx liquidityNet liquidityGross" },
  pool: { name: "Pool", fields: "id liquidity sqrtPrice tick volumeToken0 token0 token1 feeTier" },
  _meta: { name: "_Meta_", fields: "block deployment hasIndexingErrors" },
  transaction: { name: "Transaction", fields: "id blockNumber timestamp gasUsed gasPrice" },
  token0: { name: "Token", fields: "id symbol decimals" },
  token1: { name: "Token", fields: "id symbol decimals" },
  block: { name: "_Block_", fields: "number hash timestamp" },
};

export async function graphServer(history: PoolHistory, options: GraphServerOptions = {}): Promise<ScriptedServer> {
  let count = 0;
  return scriptedServer((response, asked) => {
    const index = count;
    count += 1;
    const instead = options.instead?.[index];
    if (instead !== undefined) return instead(response, asked);
    const every = options.limitEvery;
    if (every !== undefined && index % (every + 1) === every) {
      return status(429, { "retry-after": "1" }, "Too Many Requests")(response, asked);
    }
    return json(answer(asked, history, { ...options, index }))(response, asked);
  });
}

type Context = GraphServerOptions & { readonly index: number };
type Variables = Readonly<Record<string, unknown>>;

function answer(asked: Asked, history: PoolHistory, context: Context): unknown {
  try {
    if (asked.headers.authorization === undefined) throw new Refusal("auth error: missing authorization header");
    if (asked.headers.authorization !== `Bearer ${KEY}`) throw new Refusal("auth error: API key not found");
    const { query: text, variables } = JSON.parse(asked.body) as { query: string; variables: Variables };
    const query = parseQuery(text);
    checkVariables(query, variables);
    if (context.hasIndexingErrors === true && query.fields.some(({ name }) => name !== "_meta")) {
      // graph-node: a query without `subgraphError: allow` gets no data but that of `_meta`.
      return { data: meta(query, context, history), errors: [{ message: "indexing_error" }] };
    }
    return { data: Object.fromEntries(query.fields.map((field) => root(field, { variables, history, context }))) };
  } catch (error) {
    return { errors: [{ message: (error as Error).message }] };
  }
}

function meta(query: Query, context: Context, history: PoolHistory): unknown {
  const fields = query.fields.filter(({ name }) => name === "_meta");
  return Object.fromEntries(fields.map((field) => root(field, { variables: {}, history, context })));
}

function checkVariables(query: Query, variables: Variables): void {
  for (const [name, type] of Object.entries(query.variables)) {
    const wanted = type.startsWith("Int") ? "number" : "string";
    if (typeof variables[name] !== wanted) throw new Refusal(`Invalid value provided for argument \`${name}\``);
  }
}

interface Room {
  readonly variables: Variables;
  readonly history: PoolHistory;
  readonly context: Context;
}

function root(field: Selection, room: Room): [string, unknown] {
  const { history, context } = room;
  const type = TYPES[field.name];
  if (type === undefined) throw new Refusal(`Type \`Query\` has no field \`${field.name}\``);
  const head = context.head ?? history.lastBlock + 100;
  if (field.name === "_meta") {
    const { deployments = ["QmIndex"] } = context;
    const deployment = deployments[Math.min(context.index, deployments.length - 1)];
    const value = {
      block: { number: head, hash: null },
      deployment,
      hasIndexingErrors: context.hasIndexingErrors ?? false,
    };
    return [field.alias, project(value, field)];
  }
  const args = Object.fromEntries(Object.entries(field.args).map(([key, value]) => [key, resolve(value, room)]));
  const block = blockOf(args["block"], { head, start: context.start ?? 0 });
  if (field.name === "pool") {
    const pool = history.poolAt(block);
    return [field.alias, pool === null || pool.id !== args["id"] ? null : project(pool, field)];
  }
  return [field.alias, list(field, { args, block, room }).map((item) => project(item, field))];
}

function blockOf(arg: unknown, { head, start }: { readonly head: number; readonly start: number }): number {
  const number = (arg as { number?: number } | undefined)?.number ?? head;
  const said = (what: string, yet: string): Refusal =>
    new Refusal(
      `Failed to decode \`block.number\` value: \`subgraph QmIndex ${what} and data for block number ${number} is therefore not ${yet}available\``,
    );
  if (number > head) throw said(`has only indexed up to block number ${head}`, "yet ");
  if (number < start) throw said(`only has data starting at block number ${start}`, "");
  return number;
}

function list(
  field: Selection,
  { args, block, room }: { readonly args: Variables; readonly block: number; readonly room: Room },
): readonly unknown[] {
  const { history, context } = room;
  const first = (args["first"] as number | undefined) ?? 100;
  if (first < 1 || first > 1_000) {
    throw new Refusal(`The value of the \`first\` argument must be between 1 and 1000, but is ${first}`);
  }
  if (args["orderBy"] !== "id" || args["orderDirection"] !== "asc") throw new Refusal("this server pages by id only");
  const where = args["where"] as Variables;
  const name = field.name as "swaps" | "mints" | "burns" | "ticks";
  const all = name === "ticks" ? history.ticksAt(block) : (context.entities?.[name] ?? history.entities[name]);
  const there = all.filter((item) => name === "ticks" || blockNumber(item) <= block);
  const found = there.filter((item) => matches(item, where)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = found.slice(0, first);
  return context.page === undefined ? page : context.page(page);
}

const blockNumber = (item: Entity): number => Number((item["transaction"] as Entity)["blockNumber"]);

function matches(item: Entity, where: Variables): boolean {
  return Object.entries(where).every(([key, wanted]) => {
    switch (key) {
      case "pool":
        return (item["pool"] as Entity).id === wanted;
      case "id_gt":
        return item.id > String(wanted);
      case "transaction_":
        return matches(item["transaction"] as Entity, wanted as Variables);
      case "blockNumber_gte":
        return BigInt(String(item["blockNumber"])) >= BigInt(String(wanted));
      case "blockNumber_lte":
        return BigInt(String(item["blockNumber"])) <= BigInt(String(wanted));
      case "tickIdx_gt":
        return BigInt(String(item["tickIdx"])) > BigInt(String(wanted));
      case "tickIdx_lte":
        return BigInt(String(item["tickIdx"])) <= BigInt(String(wanted));
      default:
        throw new Refusal(`Invalid value provided for argument \`where\`: no field \`${key}\``);
    }
  });
}

function project(item: unknown, field: Selection): unknown {
  if (field.fields === null) {
    if (typeof item === "object" && item !== null) throw new Refusal(`Field \`${field.name}\` needs a selection`);
    return item;
  }
  const type = TYPES[field.name];
  return Object.fromEntries(
    field.fields.map((inner) => {
      if (type === undefined || !type.fields.split(" ").includes(inner.name)) {
        throw new Refusal(`Type \`${type?.name ?? field.name}\` has no field \`${inner.name}\``);
      }
      return [inner.alias, project((item as Record<string, unknown>)[inner.name] ?? null, inner)];
    }),
  );
}

function resolve(value: Value, room: Room): unknown {
  if ("literal" in value) return value.literal;
  if ("variable" in value) {
    if (!(value.variable in room.variables)) throw new Refusal(`Variable \`${value.variable}\` is not given`);
    return room.variables[value.variable];
  }
  return Object.fromEntries(Object.entries(value.object).map(([key, inner]) => [key, resolve(inner, room)]));
}
