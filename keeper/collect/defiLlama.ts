// DefiLlama: yields of pools now and day by day, and what is known of protocols (TVL, audits, age). A second opinion and a
// source of features; nothing that moves money reads it. Its shapes are those of DefiLlama's yield-server (`src/api`,
// `src/types/Pool.d.ts`) and defillama-server (`defi/src/protocols/types.ts`).
import canonicalize from "canonicalize";
import { z } from "zod";
import { InputFailure } from "../config/failure";
import type { HistoryRow, ReadingRow } from "../store/historyRecords";
import { type HttpSource, failure, garbage } from "./httpSource";
import type { StateValue } from "./reading";

export const LLAMA_YIELDS = "defillama-yields";
export const LLAMA_PROTOCOLS = "defillama-protocols";

export interface LlamaPool {
  readonly chainId: number;
  /** Names the rows, for example `aave-v3-usdc`. */
  readonly subject: string;
  /** DefiLlama's id of the pool, a UUID. */
  readonly pool: string;
  /** DefiLlama's name of the chain, for example `Ethereum`. */
  readonly chain: string;
  /** Of a lending pool `tvlUsd` is what is supplied less what is borrowed; of a vault it is all that is supplied. */
  readonly kind: "lending" | "vault";
  /**
   * What `apyBase` is, which is up to the adaptor of each protocol. Compounded as a rule; that of `aave-v3`, for one, gives
   * the protocol's own simple rate.
   */
  readonly apyBase: "compounded" | "simple";
}

export interface LlamaProtocol {
  readonly chainId: number;
  readonly subject: string;
  /** As in the address of its page, for example `aave-v3`. */
  readonly slug: string;
}

export interface LlamaReadings {
  readonly rows: readonly ReadingRow[];
  /** Subjects that the source does not list, or lists no more. */
  readonly missing: readonly string[];
}

interface Asking {
  readonly signal?: AbortSignal | undefined;
}

const number = z.number().finite().nullish();
const texts = z.array(z.string().max(2_000)).nullish();

const wholeList = z.object({ status: z.literal("success"), data: z.array(z.unknown()) });
const poolId = z.object({ pool: z.string() });
const pool = z.object({
  chain: z.string(),
  project: z.string(),
  symbol: z.string(),
  tvlUsd: number,
  apy: number,
  apyBase: number,
  apyReward: number,
  rewardTokens: texts,
  underlyingTokens: texts,
  poolMeta: z.string().nullish(),
  stablecoin: z.boolean().nullish(),
  ilRisk: z.string().nullish(),
  exposure: z.string().nullish(),
  outlier: z.boolean().nullish(),
  apyMean30d: number,
});
const chart = z.object({
  status: z.literal("success"),
  data: z.array(z.object({ timestamp: z.iso.datetime({ offset: true }), tvlUsd: number, apyBase: number })),
});
const slugged = z.object({ slug: z.string() });
const protocol = z.object({
  name: z.string(),
  category: z.string().nullish(),
  chains: texts,
  tvl: number,
  audits: z.union([z.string(), z.number()]).nullish(),
  audit_links: texts,
  listedAt: z.number().int().positive().nullish(),
});

/**
 * State of each pool now. `source` is at `https://yields.llama.fi`, which computes anew once an hour: what it says may be an
 * hour old, and it does not say how old.
 *
 * @throws WorldFailure `SOURCE_GARBAGE` and as `HttpSource.ask`; InputFailure `SOURCE_POOL_OF_ANOTHER_CHAIN`.
 */
export async function llamaPools(
  source: HttpSource,
  pools: readonly LlamaPool[],
  { signal }: Asking = {},
): Promise<LlamaReadings> {
  const { data } = await source.ask({ path: "/pools", shape: wholeList, signal });
  const listed = indexed(data, (entry) => poolId.safeParse(entry).data?.pool);
  return readings(source, pools, (wanted) => {
    const entry = listed.get(wanted.pool);
    if (entry === undefined) return null;
    const state = shaped(source, pool, { entry, subject: wanted.subject });
    checkChain(source, state.chain, wanted);
    return { source: LLAMA_YIELDS, state: { pool: wanted.pool, ...withNulls(state) } };
  });
}

/**
 * The days of a pool that are over, oldest first: DefiLlama keeps the last point of each day, and today's changes every hour.
 * Rows are of no block, which is 0 with a null hash; borrowed amounts and rates are not in the chart.
 *
 * @throws WorldFailure `SOURCE_POOL_UNKNOWN` (no points), `SOURCE_GARBAGE` and as `HttpSource.ask`.
 */
export async function llamaChart(
  source: HttpSource,
  wanted: LlamaPool,
  { signal }: Asking = {},
): Promise<HistoryRow[]> {
  const path = `/chart/${encodeURIComponent(wanted.pool)}`;
  const { data } = await source.ask({ path, shape: chart, signal });
  if (data.length === 0) {
    const remedy = "Take the id from the pool's page at DefiLlama.";
    throw failure(source, "SOURCE_POOL_UNKNOWN", `has no chart of ${wanted.subject}`, remedy);
  }
  const now = source.clock.now() / 1_000;
  const today = now - (now % DAY_SECONDS);
  let last = -Infinity;
  return data.flatMap((point): HistoryRow[] => {
    const observedAt = Math.floor(Date.parse(point.timestamp) / 1_000);
    if (observedAt <= last) throw garbage(source, `has points of ${wanted.subject} that are not in order of time`);
    if (observedAt > now) throw garbage(source, `has a point of ${wanted.subject} in the future`);
    last = observedAt;
    if (observedAt >= today) return [];
    return [
      {
        observedAt,
        // Computed within the hour and shown after it.
        availableAt: (Math.floor(observedAt / HOUR_SECONDS) + 1) * HOUR_SECONDS,
        block: 0,
        blockHash: null,
        source: LLAMA_YIELDS,
        suppliedUsd: wanted.kind === "vault" ? (point.tvlUsd ?? null) : null,
        borrowedUsd: null,
        supplyApr: simpleRate(point.apyBase ?? null, wanted.apyBase),
        borrowApr: null,
        index: null,
        flags: 0,
      },
    ];
  });
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/**
 * A yield in per cent as a simple rate a year, a fraction. One compounded at every moment from the rate r is e^r − 1, so that
 * r = ln(1 + yield); one compounded by the block is the same but for 1e-8 of it at 5 %. Null: no yield, or a loss of
 * everything, which no rate gives.
 */
export function simpleRate(yieldPercent: number | null, kind: LlamaPool["apyBase"]): number | null {
  if (yieldPercent === null) return null;
  const fraction = yieldPercent / 100;
  if (kind === "simple") return fraction;
  return fraction > -1 ? Math.log1p(fraction) : null;
}

/**
 * What is known of each protocol. `source` is at `https://api.llama.fi`; one answer of some megabytes has them all.
 *
 * @throws WorldFailure `SOURCE_GARBAGE` and as `HttpSource.ask`.
 */
export async function llamaProtocols(
  source: HttpSource,
  protocols: readonly LlamaProtocol[],
  { signal }: Asking = {},
): Promise<LlamaReadings> {
  const all = await source.ask({ path: "/protocols", shape: z.array(z.unknown()), signal });
  const listed = indexed(all, (entry) => slugged.safeParse(entry).data?.slug);
  return readings(source, protocols, (wanted, now) => {
    const entry = listed.get(wanted.slug);
    if (entry === undefined) return null;
    const known = shaped(source, protocol, { entry, subject: wanted.subject });
    const listedAt = known.listedAt ?? null;
    const state = {
      slug: wanted.slug,
      name: known.name,
      category: known.category ?? null,
      chains: known.chains ?? [],
      tvlUsd: known.tvl ?? null,
      audited: AUDITS.get(String(known.audits)) ?? null,
      auditLinks: known.audit_links ?? [],
      listedAt,
      ageDays: listedAt === null ? null : Math.max(0, Math.floor((now - listedAt) / DAY_SECONDS)),
    };
    return { source: LLAMA_PROTOCOLS, state };
  });
}

/** The legend of defillama-server's `defi/src/protocols/data4.ts`. */
const AUDITS: ReadonlyMap<string, string> = new Map([
  ["0", "no"],
  ["1", "partly"],
  ["2", "yes"],
  ["3", "fork-of-audited"],
]);

interface Subject {
  readonly chainId: number;
  readonly subject: string;
}

interface Stated {
  readonly source: string;
  readonly state: Readonly<Record<string, StateValue>>;
}

function readings<T extends Subject>(
  source: HttpSource,
  wanted: readonly T[],
  read: (one: T, now: number) => Stated | null,
): LlamaReadings {
  // The answers have no time of their own.
  const now = Math.floor(source.clock.now() / 1_000);
  const rows: ReadingRow[] = [];
  const missing: string[] = [];
  for (const one of wanted) {
    const stated = read(one, now);
    if (stated === null) {
      missing.push(one.subject);
      continue;
    }
    const { chainId, subject } = one;
    const state = canonicalize(stated.state) ?? "{}";
    const times = { observedAt: now, availableAt: now };
    rows.push({ chainId, source: stated.source, subject, block: null, blockHash: null, ...times, state });
  }
  return { rows, missing };
}

/** The first of each key; entries without one are not ours to judge. */
function indexed(entries: readonly unknown[], keyOf: (entry: unknown) => string | undefined): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (key !== undefined && !found.has(key)) found.set(key, entry);
  }
  return found;
}

/** Only what is wanted must have the shape: a strange pool of strangers stops nobody. */
function shaped<T>(
  source: HttpSource,
  shape: z.ZodType<T>,
  { entry, subject }: { readonly entry: unknown; readonly subject: string },
): T {
  const result = shape.safeParse(entry);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.map(String).join(".") ?? "";
  throw garbage(source, `describes ${subject} in another shape than it should, at ${at}`);
}

function checkChain({ field }: HttpSource, chain: string, { subject, chain: wanted }: LlamaPool): void {
  if (chain === wanted) return;
  throw new InputFailure("SOURCE_POOL_OF_ANOTHER_CHAIN", `the pool of ${subject} is not on ${wanted}`, {
    field: `${field} (${subject})`,
    remedy: "Take the id of the pool on that chain.",
  });
}

function withNulls(state: z.infer<typeof pool>): Record<string, StateValue> {
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, value ?? null]));
}
