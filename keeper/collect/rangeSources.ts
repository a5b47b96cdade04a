// What a backfill can be of, by name.
import type { Chain } from "../chain/connect";
import { steadfast } from "../chain/steadfast";
import { InputFailure } from "../config/failure";
import type { TheGraphConfig } from "../config/schema";
import type { BackfillKey } from "../store/historyRecords";
import { chainBlocks } from "./chainBlocks";
import { coinsOf, collectCurveEvents } from "./curveEvents";
import { CURVE } from "./curveLogs";
import { workOf } from "./eventRanges";
import { sweepOf, type HistoricSweep } from "./historicSweep";
import { type HttpSource, openHttpSource } from "./httpSource";
import { ofOneChain } from "./rangeLogs";
import type { RangeSource, RangeWork } from "./rangeSource";
import { SWEEP } from "./sweepRecord";
import { THE_GRAPH, graphKeyHeader, poolEvents } from "./theGraph";
import { collectUniswapEvents } from "./uniswapEvents";

export type RangeSourceMaker<S = RangeSource> = (chain: Chain, key: BackfillKey) => S;
/** Each is asked for its maker when it is wanted: only then must it have what it needs. */
export type RangeSourceMakers<S = RangeSource> = ReadonlyMap<string, () => RangeSourceMaker<S>>;

export interface RangeSourceSettings {
  readonly theGraph?: TheGraphConfig | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Those that need nothing but the chain. */
export const RANGE_SOURCES: RangeSourceMakers = new Map([
  ["uniswap-v3", () => uniswapPool],
  [CURVE, () => curvePool],
] as const);

/** All of events. Sources of one process share its rate of requests. */
export function rangeSources({ theGraph, env }: RangeSourceSettings): RangeSourceMakers {
  let source: HttpSource | null = null;
  return new Map([
    ...RANGE_SOURCES,
    [THE_GRAPH, () => subgraphPool((source ??= openSubgraph(theGraph, env)))],
  ] as const);
}

/** All that a backfill can be of: ranges of events, and sweeps, of what `swept` says when they are wanted. */
export function withSweeps(
  makers: RangeSourceMakers,
  swept: () => HistoricSweep["sources"],
): RangeSourceMakers<RangeWork> {
  const ofEvents = [...makers].map(([name, open]): [string, () => RangeSourceMaker<RangeWork>] => [
    name,
    () => {
      const make = open();
      return (chain, key) => workOf(make(chain, key));
    },
  ]);
  return new Map([...ofEvents, [SWEEP, () => (chain, key) => sweepOf(chain, key, swept())]]);
}

function uniswapPool(chain: Chain, key: BackfillKey): RangeSource {
  // A chunk takes hundreds of requests: one that fails must not cost the others.
  const steady = steadfast(chain);
  const pools = [key.subject];
  return { key, collect: (from, to) => collectUniswapEvents(steady, { pools, from, to }) };
}

function curvePool(chain: Chain, key: BackfillKey): RangeSource {
  const steady = steadfast(chain);
  let coins: readonly string[] | null = null;
  return {
    key,
    async collect(from, to) {
      coins ??= await coinsOf(steady, key.subject);
      return collectCurveEvents(steady, { address: key.subject, coins }, { from, to });
    },
  };
}

function subgraphPool(source: HttpSource): RangeSourceMaker {
  return (chain, key) => {
    const steady = steadfast(chain);
    const subgraph = { source, chainId: key.chainId, blocks: chainBlocks(steady) };
    return {
      key,
      async collect(from, to, signal) {
        const range = { pool: key.subject, fromBlock: from, toBlock: to, signal };
        const { value: rows, toHash } = await ofOneChain(steady, to, () => poolEvents(subgraph, range));
        return { rows, toHash };
      },
    };
  };
}

/** Of one attempt: a page of a thousand events comes within seconds. */
const TIMEOUT_MS = 20_000;
const DEADLINE_MS = 60_000;
const ATTEMPTS = 3;
const MAX_BODY_BYTES = 16 * 2 ** 20;
/** Requests that may go at once after a rest. */
const BURST = 10;

function openSubgraph(config: TheGraphConfig | undefined, env: RangeSourceSettings["env"]): HttpSource {
  if (config === undefined) {
    throw new InputFailure("SOURCE_NOT_CONFIGURED", "is missing: there is no address to ask for The Graph's events", {
      field: "collect.theGraph.url",
      remedy: "Put the subgraph's address into the config, and the name of the API key's variable beside it.",
    });
  }
  const { url, keyVariable, requestsPerMinute } = config;
  return openHttpSource({
    name: THE_GRAPH,
    field: "collect.theGraph",
    baseUrl: url,
    headers: keyVariable === undefined ? {} : graphKeyHeader(keyVariable, env),
    rate: { perMinute: requestsPerMinute, burst: Math.min(requestsPerMinute, BURST) },
    timeoutMs: TIMEOUT_MS,
    deadlineMs: DEADLINE_MS,
    attempts: ATTEMPTS,
    maxBodyBytes: MAX_BODY_BYTES,
  });
}

/** @throws as `makerOf`. */
export function rangeSource<S>(makers: RangeSourceMakers<S>, chain: Chain, key: BackfillKey): S {
  return makerOf(makers, key.source)(chain, key);
}

/** @throws InputFailure `SOURCE_UNKNOWN`, `SOURCE_NOT_CONFIGURED`, `SOURCE_KEY_MISSING`, `SOURCE_KEY_MALFORMED`. */
export function makerOf<S>(makers: RangeSourceMakers<S>, source: string): RangeSourceMaker<S> {
  const open = makers.get(source);
  if (open !== undefined) return open();
  throw new InputFailure("SOURCE_UNKNOWN", `no source is called ${JSON.stringify(source.slice(0, 40))}`, {
    field: "--source",
    remedy: `Use one of: ${[...makers.keys()].join(", ")}.`,
  });
}
