// What is asked of a Uniswap V3 subgraph and the shape of what it answers, after `schema.graphql` of Uniswap/v3-subgraph and
// the API that graph-node makes of it (The Graph docs, Querying > GraphQL API).
import { z } from "zod";

/** Of graph-node: `first` may not be more. */
export const LARGEST_PAGE = 1_000;

/** BigInt of GraphQL: a decimal string. */
const integer = z.string().regex(/^-?\d{1,78}$/);
const natural = z.string().regex(/^\d{1,78}$/);
const small = natural.transform(Number).refine(Number.isSafeInteger);
const tick = integer.transform(Number).refine((value) => Math.abs(value) <= 887_273);
const lowerCase = (text: string): string => text.toLowerCase();
const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/i)
  .transform(lowerCase);
const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i)
  .transform(lowerCase);
/** BigDecimal: read by `unitsOf`. */
const decimal = z.string().max(200);

const entity = z.object({
  id: z.string().min(1),
  transaction: z.object({ id: hash, blockNumber: small, gasPrice: natural }),
  timestamp: small,
  amount0: decimal,
  amount1: decimal,
  /** The schema allows null; without it there is no order. In the whole block, not in the transaction. */
  logIndex: small,
});
const swap = entity.extend({ sender: address, recipient: address, sqrtPriceX96: natural, tick });
const change = entity.extend({ owner: address, amount: natural, tickLower: tick, tickUpper: tick });
const mint = change.extend({ sender: address.nullable() });

export type SubgraphSwap = z.infer<typeof swap>;
export type SubgraphMint = z.infer<typeof mint>;
export type SubgraphBurn = z.infer<typeof change>;

const tickEntity = z.object({ id: z.string().min(1), tickIdx: tick, liquidityNet: integer.transform(BigInt) });
const token = z.object({ id: address, decimals: small.refine((value) => value <= 77) });
const pool = z.object({
  liquidity: natural.transform(BigInt),
  tick: tick.nullable(),
  /** Q64.96; zero before there is a price. */
  sqrtPrice: natural.transform(BigInt),
  /** Of all swaps ever, without signs. */
  volumeToken0: decimal,
  token0: token,
  token1: token,
});

export type SubgraphPool = z.infer<typeof pool>;

/** A list whose ids go up and are paged by them. */
export interface Listing<T> {
  readonly query: string;
  readonly item: z.ZodType<T>;
}

const META = "_meta { block { number } deployment hasIndexingErrors }";
const EVENT = "id transaction { id blockNumber gasPrice } timestamp amount0 amount1 logIndex";

const eventList = (name: string, fields: string): string => `
  query($pool: String!, $first: Int!, $after: ID!, $block: Int!, $from: BigInt!, $to: BigInt!) {
    ${META}
    page: ${name}(
      first: $first, orderBy: id, orderDirection: asc, block: { number: $block },
      where: { pool: $pool, id_gt: $after, transaction_: { blockNumber_gte: $from, blockNumber_lte: $to } }
    ) { ${EVENT} ${fields} }
  }`;

export const SWAPS: Listing<SubgraphSwap> = {
  query: eventList("swaps", "sender recipient sqrtPriceX96 tick"),
  item: swap,
};
export const MINTS: Listing<SubgraphMint> = {
  query: eventList("mints", "owner sender amount tickLower tickUpper"),
  item: mint,
};
export const BURNS: Listing<SubgraphBurn> = {
  query: eventList("burns", "owner amount tickLower tickUpper"),
  item: change,
};
export const TICKS: Listing<z.infer<typeof tickEntity>> = {
  query: `
  query($pool: String!, $first: Int!, $after: ID!, $block: Int!, $from: BigInt!, $to: BigInt!) {
    ${META}
    page: ticks(
      first: $first, orderBy: id, orderDirection: asc, block: { number: $block },
      where: { pool: $pool, id_gt: $after, tickIdx_gt: $from, tickIdx_lte: $to }
    ) { id tickIdx liquidityNet }
  }`,
  item: tickEntity,
};

export const POOL_QUERY = `
  query($pool: ID!, $block: Int!) {
    ${META}
    pool(id: $pool, block: { number: $block }) {
      liquidity tick sqrtPrice volumeToken0 token0 { id decimals } token1 { id decimals }
    }
  }`;

const meta = z.object({
  block: z.object({ number: z.number().int().nonnegative() }),
  deployment: z.string().min(1),
  hasIndexingErrors: z.boolean(),
});

export type IndexMeta = z.infer<typeof meta>;

export const poolData = z.object({ _meta: meta, pool: pool.nullable() });
export const pageData = <T>(item: z.ZodType<T>) => z.object({ _meta: meta, page: z.array(item) });

/** Errors come with HTTP 200, and may come beside a part of the data, which then counts for nothing. */
export const graphqlAnswer = <D>(data: z.ZodType<D>) =>
  z.preprocess(
    (body) => (hasErrors(body) ? { errors: body.errors } : body),
    z.object({ data: data.nullish(), errors: z.array(z.object({ message: z.string() })).nullish() }),
  );

function hasErrors(body: unknown): body is { readonly errors: readonly unknown[] } {
  const errors = (body as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) && errors.length > 0;
}
