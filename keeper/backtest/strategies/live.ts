// The keeper's own decision (`decide/choice.ts`) over history: the same function on the same kind of problem, made of rows
// instead of a vault's snapshot. Where its forecasts come from is a parameter.
import { DUST_USD } from "../../allocate/allocate";
import type { AllocationProblem, AllocationVenue } from "../../allocate/problem";
import { type Candidate, type Target, choose, cooldownLeft, isHopeless } from "../../decide/choice";
import type { OperatorLimits } from "../../decide/strategy";
import { RateEwma } from "../../forecast/ewma";
import { impliedModel, type RateModel } from "../../venues/rateModel";
import type { Knowledge } from "../market";
import type { Decider, Situation, Strategy, Terms } from "../strategy";

/** The operator's limits that mean something without a vault. */
export type LiveLimits = Pick<
  OperatorLimits,
  "horizonHours" | "minGainUsd" | "noTradeBandBps" | "cooldownSeconds" | "maxShareOfVenue"
>;

/** Mean rate of each venue over the horizon; called once a step for those venues that need it. */
export type Forecasts = (venue: number, now: Situation) => number;

/** @param forecasts Makes the source of forecasts for one run. */
export function live(name: string, limits: LiveLimits, forecasts: (knowledge: Knowledge) => Forecasts): Strategy {
  return {
    name,
    start: (knowledge, terms) => new LiveDecider(knowledge, terms, { limits, forecast: forecasts(knowledge) }),
  };
}

/** The live strategy's own forecast: the EWMA of each rate, one row after the other. */
export function ewmaForecasts(halfLifeHours: number): (knowledge: Knowledge) => Forecasts {
  return ({ series, rows }) => {
    const means = series.map(() => new RateEwma({ halfLifeHours }));
    const taken = new Int32Array(series.length);
    return (v, now) => {
      const one = series[v];
      const mean = means[v];
      const known = rows[v]?.[now.step] ?? 0;
      if (one === undefined || mean === undefined) throw new RangeError(`no venue ${v}`);
      for (let row = taken[v] as number; row < known; row += 1) {
        mean.add(one.observedAt[row] as number, one.apr[row] as number);
      }
      taken[v] = known;
      return mean.forecast(now.knownAt)?.apr ?? NaN;
    };
  };
}

interface Leg {
  readonly venue: number;
  readonly change: number;
}

class LiveDecider implements Decider {
  readonly #knowledge: Knowledge;
  readonly #limits: LiveLimits;
  readonly #forecast: Forecasts;
  readonly #halfCostBps: number;
  /** Model of the last row known, and that row. */
  readonly #models: RateModel[];
  readonly #modelRows: Int32Array;
  #chosen: Candidate<Leg> | null = null;

  constructor(knowledge: Knowledge, terms: Terms, own: { readonly limits: LiveLimits; readonly forecast: Forecasts }) {
    this.#knowledge = knowledge;
    this.#limits = own.limits;
    this.#forecast = own.forecast;
    this.#halfCostBps = terms.costBps / 2;
    this.#models = knowledge.series.map(() => ({ kind: "fixed", apr: 0 }));
    this.#modelRows = new Int32Array(knowledge.series.length).fill(-1);
  }

  decide(now: Situation, wanted: Float64Array): boolean {
    if (cooldownLeft(now.at, now.lastMovedAt, this.#limits.cooldownSeconds) > 0) return false;
    if (now.first && this.#knowledge.rows.some((known) => known[now.step] === 0)) return false;
    // What is placed first costs nothing, so it need gain nothing either.
    const terms = now.first ? { minGainUsd: 0, noTradeBandBps: 0 } : this.#limits;
    const today = this.#today(now);
    if (!now.first && isHopeless({ today, forecast: today }, terms, now.gasUsd)) return false;
    const forecast = this.#asForecast(today, now);
    if (!now.first && isHopeless({ today, forecast }, terms, now.gasUsd)) return false;
    const choice = choose<Leg>(
      { today, forecast, breaches: [] },
      {
        minGainUsd: terms.minGainUsd,
        noTradeBandBps: terms.noTradeBandBps,
        turnoverUsd: Infinity,
        legsOf: (target) => legsOf(today, target),
        costUsd: (legs) => (now.first ? 0 : this.#costUsd(legs, now.gasUsd)),
      },
    );
    if (choice.kind !== "move") return false;
    this.#chosen = choice.candidate;
    for (const { venue, change } of choice.candidate.legs) {
      const to = (now.held[venue] as number) + change;
      wanted[venue] = to > DUST_USD ? to : 0;
    }
    return true;
  }

  reason(): string {
    if (this.#chosen === null) return "";
    const { forecastGain, todayGain, cost } = this.#chosen;
    const usd = (amount: number): string => `${amount.toFixed(2)} USD`;
    return `gains ${usd(forecastGain)} over ${this.#limits.horizonHours} h as forecast, ${usd(todayGain)} at today's rates, after ${usd(cost)}`;
  }

  #costUsd(legs: readonly Leg[], gasUsd: number): number {
    let [out, into, changed] = [0, 0, 0];
    for (const { change } of legs) {
      if (change < 0) out += 1;
      else into += 1;
      changed += Math.abs(change);
    }
    return Math.max(out, into) * gasUsd + (this.#halfCostBps / 1e4) * changed;
  }

  /** The problem with each venue's last known state. */
  #today(now: Situation): AllocationProblem {
    const { series } = this.#knowledge;
    return {
      total: now.total,
      horizonHours: this.#limits.horizonHours,
      // A move has two ends; the allocator counts each.
      gasUsdPerMove: now.gasUsd / 2,
      minIdle: 0,
      groups: [],
      venues: series.map(({ name }, v) => this.#venue(name, v, now)),
    };
  }

  #venue(id: string, v: number, now: Situation): AllocationVenue {
    const model = this.#modelOf(v, now.step);
    const current = now.held[v] as number;
    const cap =
      "borrowed" in model
        ? // Exit liquidity: no more of a venue than a share of what could leave it, ours included.
          Math.max(
            current,
            Math.min(now.total, this.#limits.maxShareOfVenue * (model.supplied + current - model.borrowed)),
          )
        : now.total;
    const costBps = now.first ? 0 : this.#halfCostBps;
    return { id, current, cap, floor: 0, costBps, expectedLossApr: 0, model };
  }

  #modelOf(v: number, step: number): RateModel {
    const { series, rows, priceTaker } = this.#knowledge;
    const row = ((rows[v] as Int32Array)[step] as number) - 1;
    const one = series[v];
    if (one !== undefined && this.#modelRows[v] !== row) {
      this.#models[v] = one.modelOf(row, priceTaker);
      this.#modelRows[v] = row;
    }
    return this.#models[v] as RateModel;
  }

  #asForecast(today: AllocationProblem, now: Situation): AllocationProblem {
    return {
      ...today,
      venues: today.venues.map((venue, v) => ({
        ...venue,
        model: impliedModel(venue.model, this.#forecast(v, now), 0),
      })),
    };
  }
}

function legsOf({ venues }: AllocationProblem, target: Target): Leg[] {
  return venues.flatMap(({ id, current }, venue) => {
    const change = (target.get(id) ?? 0) - current;
    return Math.abs(change) > DUST_USD ? [{ venue, change }] : [];
  });
}
