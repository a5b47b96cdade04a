// What is collected of a chain: the venues of the address file under their ids, and what the config names besides. An address
// becomes a collector by `locate`.
import type { AddressFile } from "../config/addressFile";
import { InputFailure } from "../config/failure";
import type { CollectTarget } from "../config/schema";
import { locateAaveV3 } from "./aaveV3";
import { chainlinkCollector } from "./chainlink";
import { compoundV3Collector } from "./compoundV3";
import { locateCurvePool } from "./curvePool";
import { locateErc4626 } from "./erc4626";
import type { LocatingStep } from "./locate";
import type { ChainCollector } from "./reading";
import { locateUniswapPool, type UniswapPoolTarget } from "./uniswapPool";

export interface PoolTarget {
  /** Of its events: a range source's name. */
  readonly source: "uniswap-v3" | "curve";
  readonly subject: string;
  readonly pool: string;
}

export interface CollectedTargets {
  /** Read by the sweep, once located. */
  readonly sources: readonly (LocatingStep | ChainCollector)[];
  /** Pools whose events are collected besides. */
  readonly pools: readonly PoolTarget[];
}

/** Coins of the pool that the adapter of that name is for. */
const THREE_POOL_COINS = 3;

interface Start {
  readonly source: LocatingStep | ChainCollector;
  /** Whose events are collected besides. */
  readonly pool?: PoolTarget;
}

/**
 * @param assetUsd USD for one unit of the vault's asset.
 * @throws InputFailure `COLLECTED_TWICE` when two targets have one subject, which names a series.
 */
export function targetsOf(
  addresses: AddressFile | null,
  targets: readonly CollectTarget[],
  { assetUsd }: { readonly assetUsd: number },
): CollectedTargets {
  const venues = addresses?.adapters.map((entry) => ofVenue(entry, { asset: addresses.asset.address, assetUsd })) ?? [];
  const starts = [...venues, ...targets.map(ofTarget)];
  const seen = new Set<string>();
  for (const { source } of starts) {
    const { subject } = source;
    if (seen.has(subject)) {
      throw new InputFailure("COLLECTED_TWICE", `${subject} is collected twice`, {
        field: "collect.targets",
        remedy: "Give one of them another subject; the venues of the address file are collected under their ids.",
      });
    }
    seen.add(subject);
  }
  return {
    sources: starts.map(({ source }) => source),
    pools: starts.flatMap(({ pool }) => (pool === undefined ? [] : [pool])),
  };
}

function ofVenue(
  { id: subject, kind, adapter, venue }: AddressFile["adapters"][number],
  { asset, assetUsd: usd }: { readonly asset: string; readonly assetUsd: number },
): Start {
  switch (kind) {
    case "aave-v3":
      return { source: locateAaveV3({ subject, pool: venue, asset, usd }) };
    case "compound-v3":
      return { source: compoundV3Collector({ subject, comet: venue, usd }) };
    case "erc4626":
      return { source: locateErc4626({ subject, vault: venue, usd }) };
    // Counted in a stable token of its own.
    case "sky-savings":
      return { source: locateErc4626({ subject, vault: venue, usd: 1 }) };
    case "curve-3pool": {
      const coins = THREE_POOL_COINS;
      const source = locateCurvePool({ subject, pool: venue, receipts: { namedBy: adapter }, coins, usd: 1 });
      return { source, pool: { source: "curve", subject, pool: venue } };
    }
    case "uniswap-v3":
      return uniswapPool({ subject, pool: venue });
  }
}

function ofTarget(target: CollectTarget): Start {
  switch (target.kind) {
    case "aave-v3":
      return { source: locateAaveV3(target) };
    case "compound-v3":
      return { source: compoundV3Collector(target) };
    case "curve":
      return {
        source: locateCurvePool({ ...target, receipts: { token: target.token } }),
        pool: { source: "curve", subject: target.subject, pool: target.pool },
      };
    case "erc4626":
      return { source: locateErc4626(target) };
    case "chainlink":
      return { source: chainlinkCollector(target) };
    case "uniswap-v3":
      return uniswapPool({ subject: target.subject, pool: target.pool });
  }
}

function uniswapPool(target: UniswapPoolTarget): Start {
  return { source: locateUniswapPool(target), pool: { source: "uniswap-v3", ...target } };
}
