// The keeper's own decision (`decide/choice.ts`) over history: the same function on the same kind of problem, made of rows
// instead of a vault's snapshot. Where its forecasts come from is a parameter.
import { DUST_USD } from "../../allocate/allocate";
import type { AllocationProblem, AllocationVenue, TailRisk } from "../../allocate/problem";
import { kappaOf, type ToleranceSettings } from "../../allocate/riskTolerance";
import { type Candidate, choose, cooldownLeft, isHopeless, type Saving } from "../../decide/choice";
import { FEES_KEPT_SECONDS, LEAST_FEES_SECONDS, likelyLow } from "../../decide/gasTiming";
import type { Target } from "../../decide/income";
import type { OperatorLimits } from "../../decide/strategy";
import { halfLifeOf, TIME_FRAMES, type TimeFrame } from "../../decide/timeFrames";
import { RateEwma } from "../../forecast/ewma";
import { realisedOf, REALISED_SECONDS } from "../../risk/realised";
import type { Point } from "../../risk/returns";
import { impliedModel, type RateModel } from "../../venues/rateModel";
import type { Knowledge } from "../market";
import type { Decider, Situation, Strategy, Terms } from "../strategy";

/** The operator's limits that mean something without a vault. */
export type LiveLimits = Pick<
  OperatorLimits,
  "horizonHours" | "minGainUsd" | "noTradeBandBps" | "cooldownSeconds" | "maxShareOfVenue"
> & {
  /** How long cheaper gas may be waited for. Default: not at all. */
  readonly gasPatienceHours?: number;
  /** Default: no joint shock is looked at. */
  readonly tail?: TailRisk | undefined;
  /** Of the tail: its kappa follows what the run has been through. Default: it stays as it is. */
  readonly tolerance?: ToleranceSettings | undefined;
};

/**
 * Mean rate of each venue over the horizon; called once a step for those venues that need it.
 * @param hours Over one of the time frames instead.
 */
export type Forecasts = (venue: number, now: Situation, hours?: number) => number;

/** @param forecasts Makes the source of forecasts for one run. */
export function live(name: string, limits: LiveLimits, forecasts: (knowledge: Knowledge) => Forecasts): Strategy {
  return {
    name,
    start: (knowledge, terms) => new LiveDecider(knowledge, terms, { limits, forecast: forecasts(knowledge) }),
  };
}

/** The live strategy's own forecast: the EWMA of each rate, one row after the other; of shorter times one of less of the past. */
export function ewmaForecasts(halfLifeHours: number): (knowledge: Knowledge) => Forecasts {
  return (knowledge) => {
    const whole = meansOf(knowledge, halfLifeHours);
    const frames = new Map<number, Forecasts>();
    return (v, now, hours) => {
      if (hours === undefined || halfLifeOf(hours, halfLifeHours) === halfLifeHours) return whole(v, now);
      const known = frames.get(hours);
      const frame = known ?? meansOf(knowledge, halfLifeOf(hours, halfLifeHours));
      if (known === undefined) frames.set(hours, frame);
      return frame(v, now);
    };
  };
}

function meansOf({ series, rows }: Knowledge, halfLifeHours: number): Forecasts {
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
}

const DAY = 86_400;

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
  /** The last month's days. */
  readonly #equity: Point[] = [];
  #kappa: number;

  constructor(knowledge: Knowledge, terms: Terms, own: { readonly limits: LiveLimits; readonly forecast: Forecasts }) {
    this.#knowledge = knowledge;
    this.#limits = own.limits;
    this.#forecast = own.forecast;
    this.#halfCostBps = terms.costBps / 2;
    this.#models = knowledge.series.map(() => ({ kind: "fixed", apr: 0 }));
    this.#modelRows = new Int32Array(knowledge.series.length).fill(-1);
    this.#kappa = own.limits.tail?.kappa ?? 0;
  }

  decide(now: Situation, wanted: Float64Array): boolean {
    this.#remember(now);
    if (cooldownLeft(now.at, now.lastMovedAt, this.#limits.cooldownSeconds) > 0) return false;
    if (now.first && this.#knowledge.rows.some((known) => known[now.step] === 0)) return false;
    // What is placed first costs nothing, so it need gain nothing either.
    const terms = now.first ? { minGainUsd: 0, noTradeBandBps: 0 } : this.#limits;
    const today = this.#today(now);
    if (!now.first && isHopeless({ today, forecast: today }, terms, now.gasUsd)) return false;
    const forecast = this.#asForecast(today, now);
    if (!now.first && isHopeless({ today, forecast }, terms, now.gasUsd)) return false;
    const choice = choose<Leg>(
      { today, forecast, breaches: [], frames: () => TIME_FRAMES.map((hours) => this.#frame(today, now, hours)) },
      {
        minGainUsd: terms.minGainUsd,
        noTradeBandBps: terms.noTradeBandBps,
        turnoverUsd: Infinity,
        legsOf: (target) => legsOf(today, target),
        costUsd: (legs) => (now.first ? 0 : this.#costUsd(legs, now.gasUsd)),
        saving: (legs) => (now.first ? null : this.#saving(legs, now)),
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

  /** Once a day: what kappa is by what the run has been through. */
  #remember({ at, total }: Situation): void {
    const { tail, tolerance } = this.#limits;
    if (tail === undefined || tolerance === undefined || at < (this.#equity.at(-1)?.at ?? -Infinity) + DAY) return;
    this.#equity.push({ at, value: total });
    while ((this.#equity[0] as Point).at < at - REALISED_SECONDS) this.#equity.shift();
    const realised = realisedOf(this.#equity);
    this.#kappa = realised === null ? tail.kappa : kappaOf({ ...tolerance, kappa: tail.kappa }, realised);
  }

  #costUsd(legs: readonly Leg[], gasUsd: number): number {
    const changed = legs.reduce((sum, { change }) => sum + Math.abs(change), 0);
    return movesOf(legs) * gasUsd + (this.#halfCostBps / 1e4) * changed;
  }

  /** What of the gas is likely saved by waiting, as the last day's prices say. */
  #saving(legs: readonly Leg[], now: Situation): Saving | null {
    const { gasUsd, grid } = this.#knowledge;
    const stepsOf = (seconds: number): number => Math.floor(seconds / grid.stepSeconds);
    const begin = Math.max(0, now.step + 1 - stepsOf(FEES_KEPT_SECONDS));
    if (now.step - begin < stepsOf(LEAST_FEES_SECONDS)) return null;
    const patience = stepsOf((this.#limits.gasPatienceHours ?? 0) * 3_600);
    const likely = likelyLow(gasUsd.subarray(begin, now.step + 1), patience);
    if (likely === null || likely.value >= now.gasUsd) return null;
    const ofUsd = movesOf(legs) * now.gasUsd;
    const usd = ofUsd * (1 - likely.value / now.gasUsd);
    return { usd, ofUsd, waitSeconds: likely.steps * grid.stepSeconds };
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
      ...(this.#limits.tail === undefined ? {} : { tail: { ...this.#limits.tail, kappa: this.#kappa } }),
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

  #asForecast(today: AllocationProblem, now: Situation, hours?: number): AllocationProblem {
    return {
      ...today,
      venues: today.venues.map((venue, v) => ({
        ...venue,
        model: impliedModel(venue.model, this.#forecast(v, now, hours), 0),
      })),
    };
  }

  #frame(today: AllocationProblem, now: Situation, hours: number): TimeFrame {
    return { hours, world: this.#asForecast(today, now, hours) };
  }
}

/** Pairs of a withdrawal and a deposit. */
function movesOf(legs: readonly Leg[]): number {
  const out = legs.filter(({ change }) => change < 0).length;
  return Math.max(out, legs.length - out);
}

function legsOf({ venues }: AllocationProblem, target: Target): Leg[] {
  return venues.flatMap(({ id, current }, venue) => {
    const change = (target.get(id) ?? 0) - current;
    return Math.abs(change) > DUST_USD ? [{ venue, change }] : [];
  });
}
