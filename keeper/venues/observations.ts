// What a snapshot says about each venue's rate, as rows: with us in it, and as it would be without us. Pure.
import type { AdapterSnapshot, VaultSnapshot } from "../chain/snapshot";
import type { ObservationRow } from "../store/records";
import { RAY, aaveRates, aaveWithout } from "./aaveV3";
import { cometApr, cometSupplyRate, cometUtilization } from "./compoundV3";
import { receiptPrice } from "./curve3pool";
import { growthApr } from "./erc4626";
import { ratio } from "./exact";
import { trailingApr } from "./liquidity";
import { skyApr } from "./skySavings";
import { arbitrageLoss, feeApr, feeIndex, withoutUs } from "./uniswapV3";

const WAD = 10n ** 18n;

/** Rows from the lens's snapshot. */
export const SNAPSHOT_SOURCE = "lens";

export interface ObservationContext {
  /** Unix seconds at which this process knew the snapshot. */
  readonly availableAt: number;
  /** The latest earlier row of each venue, in any order: an index's growth needs two. */
  readonly previous: readonly ObservationRow[];
}

interface Rates {
  readonly supplied: bigint | null;
  readonly borrowed: bigint | null;
  readonly supplyApr: number | null;
  readonly supplyAprWithoutUs: number | null;
  readonly borrowApr: number | null;
  readonly index: bigint | null;
}

/** One row for each venue that could be read. */
export function observationsOf(snapshot: VaultSnapshot, context: ObservationContext): ObservationRow[] {
  return snapshot.adapters.flatMap((adapter) => {
    const rates = ratesOf(adapter, snapshot, context.previous);
    if (rates === null) return [];
    return [
      {
        chainId: snapshot.chainId,
        venue: adapter.id,
        adapter: adapter.adapter,
        blockNumber: snapshot.blockNumber,
        blockHash: snapshot.blockHash,
        observedAt: snapshot.timestamp,
        availableAt: context.availableAt,
        source: SNAPSHOT_SOURCE,
        supplied: rates.supplied?.toString() ?? null,
        borrowed: rates.borrowed?.toString() ?? null,
        supplyApr: rates.supplyApr,
        supplyAprWithoutUs: rates.supplyAprWithoutUs,
        borrowApr: rates.borrowApr,
        vaultAssets: adapter.fairValue.toString(),
        index: rates.index === null || rates.index <= 0n ? null : rates.index.toString(),
      },
    ];
  });
}

function ratesOf(adapter: AdapterSnapshot, snapshot: VaultSnapshot, previous: readonly ObservationRow[]): Rates | null {
  const { state, fairValue } = adapter;
  if (state === null) return null;
  switch (state.kind) {
    case "aave-v3": {
      // From cash and debt as they are now, not from the rate that the pool stored at its last touch: the next touch
      // makes it this one, and the model that plans are made with says the same.
      const rates = aaveRates(state);
      return {
        supplied: state.cash + state.borrowed,
        borrowed: state.borrowed,
        supplyApr: ratio(rates.liquidityRate, RAY),
        supplyAprWithoutUs: ratio(aaveRates(aaveWithout(state, fairValue)).liquidityRate, RAY),
        borrowApr: ratio(rates.variableBorrowRate, RAY),
        index: state.liquidityIndex,
      };
    }
    case "compound-v3": {
      const without = { ...state, supplied: state.supplied > fairValue ? state.supplied - fairValue : 0n };
      // More debt than the others supply: their whole supply is lent out, as in the model.
      const utilization = cometUtilization(without);
      const emptied = without.supplied === 0n && state.borrowed > 0n;
      const capped = emptied || utilization > 10n ** 18n ? 10n ** 18n : utilization;
      return {
        supplied: state.supplied,
        borrowed: state.borrowed,
        supplyApr: cometApr(cometSupplyRate(state, cometUtilization(state))),
        supplyAprWithoutUs: cometApr(cometSupplyRate(state, capped)),
        borrowApr: cometApr(state.borrowRatePerSecond),
        index: null,
      };
    }
    case "erc4626": {
      const apr = savingsApr(adapter, { at: snapshot.timestamp, index: state.assetsPerShare }, previous);
      return {
        supplied: state.totalAssets,
        borrowed: null,
        supplyApr: apr,
        supplyAprWithoutUs: apr,
        borrowApr: null,
        index: state.assetsPerShare,
      };
    }
    case "sky-savings": {
      const apr = skyApr(state);
      return {
        supplied: state.totalAssets,
        borrowed: null,
        supplyApr: apr,
        supplyAprWithoutUs: apr,
        borrowApr: null,
        index: state.assetsPerShare,
      };
    }
    case "curve-3pool": {
      const now = { at: snapshot.timestamp, index: state.virtualPrice };
      const scale = WAD * (state.scales[state.place] ?? 1n);
      const others = state.receipts > state.held ? state.receipts - state.held : 0n;
      // The same fees for fewer receipts.
      const alone = others > 0n ? ratio(state.receipts, others) : 1;
      return {
        supplied: (state.receipts * receiptPrice(state)) / scale,
        borrowed: null,
        ...trailing(adapter, now, { previous, grown: (before) => growthApr(before, now), alone: (apr) => apr * alone }),
        borrowApr: null,
        index: now.index,
      };
    }
    case "uniswap-v3": {
      const now = { at: snapshot.timestamp, index: feeIndex(state, snapshot.assetDecimals) };
      const lost = arbitrageLoss(state);
      return {
        supplied: null,
        borrowed: null,
        ...trailing(adapter, now, {
          previous,
          grown: (before) => {
            const fees = feeApr(state, before, now);
            return fees === null ? null : fees - lost;
          },
          alone: (apr) => withoutUs(state, apr + lost) - lost,
        }),
        borrowApr: null,
        index: now.index,
      };
    }
  }
}

interface Sample {
  readonly at: number;
  readonly index: bigint;
}

/** Rates of a venue whose income comes in lumps: null at the first sight, then the mean of what came since. */
function trailing(
  adapter: AdapterSnapshot,
  now: Sample,
  from: {
    readonly previous: readonly ObservationRow[];
    /** Rate since a sample; null where there is no telling. */
    readonly grown: (before: Sample) => number | null;
    /** What the same income would have been to the others without us. */
    readonly alone: (apr: number) => number;
  },
): Pick<Rates, "supplyApr" | "supplyAprWithoutUs"> {
  const before = rowOf(adapter, from.previous);
  if (before === undefined || before.index === undefined || before.index === null) {
    return { supplyApr: null, supplyAprWithoutUs: null };
  }
  const grown = from.grown({ at: before.observedAt, index: BigInt(before.index) });
  if (grown === null) return { supplyApr: before.supplyApr, supplyAprWithoutUs: before.supplyAprWithoutUs };
  const seconds = now.at - before.observedAt;
  return {
    supplyApr: trailingApr(before.supplyApr, grown, seconds),
    supplyAprWithoutUs: trailingApr(before.supplyAprWithoutUs, from.alone(grown), seconds),
  };
}

function rowOf(adapter: AdapterSnapshot, rows: readonly ObservationRow[]): ObservationRow | undefined {
  return rows.find((row) => row.adapter.toLowerCase() === adapter.adapter.toLowerCase());
}

/** Growth since the previous row; null at the first sight. The same block seen again keeps what is known of it. */
function savingsApr(
  adapter: AdapterSnapshot,
  now: { readonly at: number; readonly index: bigint },
  previous: readonly ObservationRow[],
): number | null {
  const before = rowOf(adapter, previous);
  if (before === undefined || before.index === undefined || before.index === null) return null;
  return growthApr({ at: before.observedAt, index: BigInt(before.index) }, now) ?? before.supplyApr;
}
