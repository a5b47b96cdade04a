// What may come of the venues and of the prices of dollars, hour by hour, and a word when an event becomes likely or is no longer. It
// decides nothing: limits and the breaker go by what is, and a person by this.
import { Failure } from "../config/failure";
import type { Sink } from "../events/events";
import type { LiveForecasts } from "../forecast/liveForecasts";
import type { Outlook } from "../forecast/outlook";
import { OF_PEGS } from "../forecast/pegFeatures";
import { pegOutlooks } from "../forecast/livePegs";
import { loadRiskModel, riskFolders, type RiskModel } from "../forecast/riskModel";
import { pegPrices, type PegPricesSource } from "./pegPrices";

export interface LoadedRiskModels {
  readonly models: readonly RiskModel[];
  /** By folder: why one cannot be used. */
  readonly refused: ReadonlyMap<string, Failure>;
}

/** @param folder Of all trained models. @param before Those that are read already. */
export async function loadRiskModels(folder: string, before: readonly RiskModel[] = []): Promise<LoadedRiskModels> {
  const refused = new Map<string, Failure>();
  const found = await Promise.all(
    riskFolders(folder).map(async (one) => {
      const known = before.find(({ hash }) => hash === one.hash);
      if (known !== undefined) return [known];
      try {
        return [await loadRiskModel(one.folder)];
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        refused.set(one.folder, error);
        return [];
      }
    }),
  );
  return { models: found.flat(), refused };
}

/**
 * What may come of all that is followed: by series of rates, and then by pair of dollars.
 *
 * @throws WorldFailure `MODEL_RUNTIME`, `STORE_…`.
 */
export async function outlookOf(
  models: readonly RiskModel[],
  of: { readonly live: LiveForecasts; readonly prices: PegPricesSource; readonly at: number },
): Promise<readonly Outlook[]> {
  if (models.length === 0) return [];
  const { live, prices, at } = of;
  const ofRates = await live.outlook(at, models);
  if (!models.some(({ set }) => set === OF_PEGS)) return ofRates;
  return [...ofRates, ...(await pegOutlooks(await pegPrices(prices, at), at, models))];
}

export class OutlookWatch {
  #models: readonly RiskModel[] = [];
  /** By series and event: whether it was likely at the last look. */
  readonly #likely = new Map<string, boolean>();

  constructor(
    private readonly folder: string,
    private readonly sink: Sink,
    private readonly prices: PegPricesSource,
  ) {}

  /**
   * @param at Unix seconds.
   * @returns by folder: why a model there cannot be used.
   * @throws as {@link outlookOf}.
   */
  async look(live: LiveForecasts, at: number): Promise<ReadonlyMap<string, Failure>> {
    const { models, refused } = await loadRiskModels(this.folder, this.#models);
    this.#models = models;
    for (const one of await outlookOf(models, { live, prices: this.prices, at })) this.#tell(one);
    return refused;
  }

  #tell({ series, event, horizonHours, probability, usual, note, ...one }: Outlook): void {
    const key = `${series} ${event}`;
    const likely = one.class === "high";
    if ((this.#likely.get(key) ?? false) === likely) return;
    this.#likely.set(key, likely);
    const of = { series, event, horizonHours, probability };
    this.sink.emit(likely ? { name: "risk.likely", ...of, usual, note } : { name: "risk.unlikely", ...of });
  }
}
