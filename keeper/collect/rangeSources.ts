// The sources of events that a backfill can be of, by name.
import type { Chain } from "../chain/connect";
import { steadfast } from "../chain/steadfast";
import { InputFailure } from "../config/failure";
import type { BackfillKey } from "../store/historyRecords";
import type { RangeSource } from "./rangeSource";
import { collectUniswapEvents } from "./uniswapEvents";

export type RangeSourceMaker = (chain: Chain, key: BackfillKey) => RangeSource;
export type RangeSourceMakers = ReadonlyMap<string, RangeSourceMaker>;

export const RANGE_SOURCES: RangeSourceMakers = new Map([["uniswap-v3", uniswapPool]]);

function uniswapPool(chain: Chain, key: BackfillKey): RangeSource {
  // A chunk takes hundreds of requests: one that fails must not cost the others.
  const steady = steadfast(chain);
  const pools = [key.subject];
  return { key, collect: (from, to) => collectUniswapEvents(steady, { pools, from, to }) };
}

/** @throws InputFailure `SOURCE_UNKNOWN`. */
export function rangeSource(makers: RangeSourceMakers, chain: Chain, key: BackfillKey): RangeSource {
  return makerOf(makers, key.source)(chain, key);
}

/** @throws InputFailure `SOURCE_UNKNOWN`. */
export function makerOf(makers: RangeSourceMakers, source: string): RangeSourceMaker {
  const maker = makers.get(source);
  if (maker !== undefined) return maker;
  throw new InputFailure("SOURCE_UNKNOWN", `no source is called ${JSON.stringify(source.slice(0, 40))}`, {
    field: "--source",
    remedy: `Use one of: ${[...makers.keys()].join(", ")}.`,
  });
}
