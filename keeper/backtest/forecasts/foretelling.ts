// What models of risk would have foretold at the hours of recorded series, by the code that serves, and what they are held against:
// how often the events came in the past of the same series.
import { LOOKBACK_SECONDS } from "../../forecast/features";
import { outlooks } from "../../forecast/outlook";
import { isOfLender, type RiskModel } from "../../forecast/riskModel";
import { depegHours, eventHours, isThin, type EventHours } from "./eventHours";
import { eventScoreOf, picked, type EventScore, type Foretold } from "./eventScores";
import { HOUR, type AskedHours, type Hours } from "./hours";
import { climatologyOf, tableOf, type PastRows } from "./pastFrequency";

/** Of one event; of one series, or of all together. */
export interface EventRow extends EventScore {
  /** As the model's card has it: `exit-illiquidity-24h`. */
  readonly event: string;
  readonly horizonHours: number;
  /** Null: all that were asked for. */
  readonly series: string | null;
  /** Who foretold. */
  readonly served: string;
  /**
   * Every third hour of the span that does not count: the state is older than an hour, the reserve is under 10 M USD or its rate not known,
   * the event is there already, what came is not known yet, the model was trained on it, the keeper would have foretold nothing
   * (keeper/forecast/outlook.ts).
   */
  readonly left: Left;
}

type Left = Readonly<Record<(typeof REASONS)[number], number>>;

const REASONS = ["stale", "unusable", "there", "unknown", "seen", "untold"] as const;

/** Hours that models are asked about at a time. */
const BATCH = 512;
const WEEK_HOURS = LOOKBACK_SECONDS / HOUR;

/** Hours, by number, of one series and one event. */
interface Sample {
  readonly name: string;
  readonly past: readonly { readonly rule: number; readonly happens: number }[];
  readonly told: readonly Told[];
  readonly left: Left;
}

interface Told {
  readonly at: number;
  readonly happens: number;
  readonly quiet: number;
  readonly rule: number;
  readonly probability: number;
}

export class Foretelling {
  readonly #samples: readonly Sample[][];

  /**
   * @param models One an event.
   * @param span Unix seconds, both included: hours that are scored; those before are the past.
   */
  constructor(
    private readonly models: readonly RiskModel[],
    private readonly span: { readonly from: number; readonly to: number },
  ) {
    this.#samples = models.map(() => []);
  }

  /** Hours of a series after the span without which it is not known what came of its last. */
  get horizonHours(): number {
    return Math.max(0, ...this.models.map(({ card }) => card.event.horizonHours));
  }

  /**
   * A series of rates, from its first hour on to {@link horizonHours} after the span.
   * @throws WorldFailure `MODEL_RUNTIME`.
   */
  async add(hours: Hours): Promise<void> {
    for (const [m, model] of this.models.entries()) {
      if (!isOfLender(model)) continue;
      const events = eventHours(hours, { kind: model.kind, horizonHours: model.card.event.horizonHours });
      this.#samples[m]?.push(await this.#sampleOf(hours, events, model));
    }
  }

  /** A price, as {@link add} a series. @throws WorldFailure `MODEL_RUNTIME`. */
  async addPrice(hours: AskedHours): Promise<void> {
    for (const [m, model] of this.models.entries()) {
      if (isOfLender(model)) continue;
      const events = depegHours(hours, model.card.event.horizonHours);
      this.#samples[m]?.push(await this.#sampleOf(hours, events, model));
    }
  }

  /** By event: all series together, then each; one alone is not told twice, and nothing of none. @param seed Of the resampling. */
  rows(seed: number): EventRow[] {
    return this.models.flatMap((model, m) => {
      const samples = this.#samples[m] as Sample[];
      if (samples.length === 0) return [];
      const { event } = model.card;
      const all = foretold(samples, event.prevalence);
      const of = { event: event.name, horizonHours: event.horizonHours, served: model.name };
      const settings = { classes: event.classes, seed };
      const each = samples.map(({ name, left }, number) => ({
        ...{ ...of, series: name, left },
        ...eventScoreOf(
          picked(all, (row) => all.series[row] === number),
          settings,
        ),
      }));
      if (samples.length === 1) return each;
      const left = Object.fromEntries(
        REASONS.map((reason) => [reason, samples.reduce((sum, one) => sum + one.left[reason], 0)]),
      ) as Left;
      return [{ ...of, series: null, left, ...eventScoreOf(all, settings) }, ...each];
    });
  }

  async #sampleOf(hours: AskedHours, events: EventHours, model: RiskModel): Promise<Sample> {
    const { horizonHours } = model.card.event;
    const left = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<(typeof REASONS)[number], number>;
    const past: { rule: number; happens: number }[] = [];
    const asked: number[] = [];
    for (let k = 0; k < hours.count; k += 1) {
      const at = hours.from + k * HOUR;
      if (!isThin(at) || at > this.span.to) continue;
      if (at >= this.span.from) {
        const reason = this.#reasonAgainst(k, { at, hours, events, model });
        if (reason === null) asked.push(k);
        else left[reason] += 1;
        continue;
      }
      // What came of it was known before the span, and an embargo of the same length has passed.
      const isOver = at + 2 * horizonHours * HOUR <= this.span.from;
      if (!isOver || events.asked[k] === 0 || events.fresh[k] === 0 || events.usable[k] === 0) continue;
      past.push({ rule: events.rule[k] as number, happens: events.happens[k] as number });
    }
    const said = await probabilities(hours, asked, model);
    const told = asked.flatMap((k, i): Told[] => {
      const probability = said[i] ?? null;
      if (probability === null) {
        left.untold += 1;
        return [];
      }
      const [happens, quiet, rule] = [events.happens[k] as number, events.quiet[k] as number, events.rule[k] as number];
      return [{ at: hours.from + k * HOUR, happens, quiet, rule, probability }];
    });
    return { name: hours.name, past, told, left };
  }

  #reasonAgainst(
    k: number,
    of: { readonly at: number; readonly hours: AskedHours; readonly events: EventHours; readonly model: RiskModel },
  ): Exclude<(typeof REASONS)[number], "untold"> | null {
    const { at, hours, events, model } = of;
    const { trainWindow, event } = model.card;
    if (events.usable[k] === 0) return "unusable";
    if (events.fresh[k] === 0) return "stale";
    if (model.standing(hours.features, k) === "there") return "there";
    if (events.asked[k] === 0) return "unknown";
    return at < trainWindow.to && at + event.horizonHours * HOUR > trainWindow.from ? "seen" : null;
  }
}

/** By hour, as the keeper would have been told then; null: nothing. */
async function probabilities(
  hours: AskedHours,
  asked: readonly number[],
  model: RiskModel,
): Promise<(number | null)[]> {
  const row = (k: number): number => k * model.set.features.length;
  const said: (number | null)[] = [];
  for (let begin = 0; begin < asked.length; begin += BATCH) {
    const batch = asked.slice(begin, begin + BATCH).map((k) => ({
      series: hours.name,
      now: hours.features.subarray(row(k), row(k + 1)),
      past: hours.features.subarray(row(Math.max(0, k + 1 - WEEK_HOURS)), row(k + 1)),
    }));
    said.push(...(await outlooks(model.set, batch, [model])).map(({ probability }) => probability));
  }
  return said;
}

/** @param otherwise How often the event comes, where the series have no past. */
function foretold(samples: readonly Sample[], otherwise: number): Foretold {
  const past = samples.flatMap((sample, series) => sample.past.map((row) => ({ series, ...row })));
  const rows = samples.flatMap((sample, series) => sample.told.map((row) => ({ series, ...row })));
  const columns: PastRows = {
    series: past.map(({ series }) => series),
    rule: past.map(({ rule }) => rule),
    happens: past.map(({ happens }) => happens),
  };
  const climatology = climatologyOf(columns, otherwise);
  const usual = samples.map((_, series) => climatology(series));
  const table = tableOf(columns);
  return {
    series: Int32Array.from(rows, ({ series }) => series),
    at: Float64Array.from(rows, ({ at }) => at),
    happens: Uint8Array.from(rows, ({ happens }) => happens),
    quiet: Uint8Array.from(rows, ({ quiet }) => quiet),
    model: Float64Array.from(rows, ({ probability }) => probability),
    climatology: Float64Array.from(rows, ({ series }) => usual[series] as number),
    rule: Float64Array.from(rows, ({ rule }) => rule),
    table: table === null ? null : Float64Array.from(rows, ({ rule }) => table(rule)),
  };
}
