// What `tiller risk` shows: every venue's risk at the newest block, the vault's own market risk, what joint shocks would
// cost the allocation that stands, and whether the keeper's breaker is open.
import { atNewestBlock } from "../chain/atNewestBlock";
import { readSnapshot } from "../chain/readSnapshot";
import type { VaultSnapshot } from "../chain/snapshot";
import { locateFeeds } from "../collect/vaultFeeds";
import { loadAddresses } from "../config/addresses";
import type { Config } from "../config/load";
import { silent } from "../events/events";
import { LiveForecasts } from "../forecast/liveForecasts";
import { MODELS_FOLDER } from "../forecast/modelFolder";
import type { Outlook } from "../forecast/outlook";
import { assess, type RiskAssessment } from "../risk/assessment";
import { marketRisk, RISK_LEVELS, type MarketRisk } from "../risk/marketRisk";
import type { FeedState } from "../risk/oracle";
import { VenuePast } from "../risk/past";
import { indexReturns, rateReturns } from "../risk/returns";
import { scenarioCvar } from "../risk/scenarios";
import { lossIfOthersFall } from "../venues/impermanentLoss";
import type { BreakerTrip } from "../store/breakerRecords";
import type { Store } from "../store/records";
import { chainOf } from "./assemble";
import { loadRiskModels, outlookOf } from "./outlookWatch";
import { addSeenRows } from "./seriesRows";
import { readFeeds, riskLookbackSeconds, riskSources } from "./riskWatch";
import { withStore } from "./withStore";

const YEAR_SECONDS = 31_536_000;
const DAY = 86_400;
const HOUR = 3_600;

export interface RiskReport {
  readonly snapshot: VaultSnapshot;
  readonly assessment: RiskAssessment;
  readonly feeds: readonly FeedState[];
  /** Daily returns of the collected series of each venue over the last year; null: nothing was collected. */
  readonly collected: Readonly<Record<string, MarketRisk | null>>;
  /** Hourly returns of the share price since the keeper has watched it, a year at most. */
  readonly sharePrice: MarketRisk;
  /** Expected loss and CVaR over the joint shocks of what is allocated now, fractions of the vault a year. */
  readonly shocks: {
    readonly expectedLoss: number;
    readonly cvar: readonly { readonly level: number; readonly cvar: number }[];
  };
  /** Impermanent loss of each position in a pool where its other coins fall, fractions of it, fees apart. */
  readonly pools: readonly {
    readonly venue: string;
    readonly falls: readonly { readonly fall: number; readonly loss: number }[];
  }[];
  readonly tripped: readonly BreakerTrip[];
  /** What trained models foretell; empty where the config wants none. */
  readonly outlook: readonly Outlook[];
  /** Models of risk that cannot be used, in words. */
  readonly outlookTroubles: readonly string[];
}

/** @throws the node's and the store's failures, and those of `riskSources`. */
export async function riskReport(config: Config): Promise<RiskReport> {
  const addresses = loadAddresses(config.addresses);
  const sources = riskSources(config, addresses);
  return withStore(config, silent, async (store) => {
    const chain = await chainOf(config, addresses, silent);
    try {
      const keeper = addresses.keepers[0] ?? addresses.vault;
      const { head, snapshot, feeds } = await atNewestBlock(chain, async (at) => ({
        head: at,
        snapshot: await readSnapshot(chain, at, { addresses, keeper }),
        feeds: await readFeeds(chain, at, await locateFeeds(chain, at, addresses)),
      }));
      const { chainId } = snapshot;
      const keepSeconds = riskLookbackSeconds(config);
      const past = new VenuePast({ keepSeconds });
      const span = { from: head.timestamp - keepSeconds, to: head.timestamp, knownBy: head.timestamp };
      past.add(await store.observations({ chainId, ...span }));
      const assessment = assess({
        ...{ snapshot, feeds, ...sources },
        past: (venue) => past.of(venue),
        depegBps: config.risk.breaker.depegBps,
        venueCaps: config.limits.venueCaps,
      });
      return {
        ...{ snapshot, assessment, feeds },
        collected: await collectedRisk(store, snapshot),
        sharePrice: await sharePriceRisk(store, snapshot),
        shocks: shocksOf(assessment),
        pools: poolFalls(snapshot),
        tripped: await store.breaker.open({ chainId, vault: snapshot.vault }),
        ...(await outlookNow(config, store, snapshot)),
      };
    } finally {
      chain.close();
    }
  });
}

/** Of a price: what happens in a bad hour, on a bad day, and in a run. */
const FALLS: readonly number[] = [0.001, 0.01, 0.1];

function poolFalls({ adapters }: VaultSnapshot): RiskReport["pools"] {
  return adapters.flatMap((adapter) => {
    if (adapter.counted === 0n) return [];
    const falls = FALLS.flatMap((fall) => {
      const loss = lossIfOthersFall(adapter, fall);
      return loss === null ? [] : [{ fall, loss }];
    });
    return falls.length === 0 ? [] : [{ venue: adapter.id, falls }];
  });
}

async function collectedRisk(store: Store, snapshot: VaultSnapshot): Promise<Record<string, MarketRisk | null>> {
  const found: [string, MarketRisk | null][] = [];
  for (const { id, kind } of snapshot.adapters) {
    const [indices, rates] = [[] as { at: number; value: number }[], [] as { at: number; value: number }[]];
    const from = snapshot.timestamp - YEAR_SECONDS;
    const series = { chainId: snapshot.chainId, name: id };
    for await (const rows of store.history.history(series, { from, to: snapshot.timestamp })) {
      for (const { availableAt: at, index, supplyApr } of rows) {
        if (index !== null && kind !== "uniswap-v3") indices.push({ at, value: Number(index) });
        else if (supplyApr !== null) rates.push({ at, value: supplyApr });
      }
    }
    const returns = indices.length > 1 ? indexReturns(indices, DAY) : rateReturns(rates, DAY);
    found.push([id, returns.length === 0 ? null : marketRisk(returns)]);
  }
  return Object.fromEntries(found);
}

async function outlookNow(
  config: Config,
  store: Store,
  snapshot: VaultSnapshot,
): Promise<Pick<RiskReport, "outlook" | "outlookTroubles">> {
  if (config.forecast.model === "ewma") return { outlook: [], outlookTroubles: [] };
  const { models, refused } = await loadRiskModels(config.forecast.models ?? MODELS_FOLDER);
  const { chainId, timestamp: at, assetDecimals: decimals } = snapshot;
  const venues = snapshot.adapters.map(({ id }) => id);
  const live = new LiveForecasts(null);
  await addSeenRows(live, { chainId, venues, assetUsd: config.limits.assetUsd, store }, { decimals, at });
  return {
    outlook: await outlookOf(models, { live, prices: { chainId, history: store.history }, at }),
    outlookTroubles: [...refused.values()].map((failure) => failure.line()),
  };
}

async function sharePriceRisk(store: Store, { chainId, vault, timestamp }: VaultSnapshot): Promise<MarketRisk> {
  const prices = await store.sharePrices({ chainId, vault, from: timestamp - YEAR_SECONDS });
  const points = prices.map(({ at, sharePrice }) => ({ at, value: Number(sharePrice) }));
  return marketRisk(indexReturns(points, HOUR));
}

function shocksOf({ venues, scenarios }: RiskAssessment): RiskReport["shocks"] {
  const shares = Object.fromEntries(venues.map(({ venue, held }) => [venue, held]));
  return {
    expectedLoss: venues.reduce((sum, { held, expectedLossApr }) => sum + held * expectedLossApr, 0),
    cvar: RISK_LEVELS.map((level) => ({ level, cvar: scenarioCvar(scenarios, shares, level) })),
  };
}
