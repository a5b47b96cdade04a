// Trained models between their folder and the database: which are known, which is served, and how that changes.
import { rmSync } from "node:fs";
import path from "node:path";
import { PROMOTION, verdictOf, type Verdict } from "../backtest/forecasts/promotion";
import { InputFailure, type Failure } from "../config/failure";
import type { Config } from "../config/load";
import type { Card } from "../forecast/card";
import { HORIZONS } from "../forecast/features";
import { MODELS_FOLDER, isCard, modelsIn, type FoundModel } from "../forecast/modelFolder";
import { loadModel, type ServedModel } from "../forecast/onnxModel";
import type { ModelChange, ModelRow, ModelStore } from "../store/modelRecords";
import type { Store } from "../store/records";

/** A model of the folder, of the database, or of both. */
export interface KnownModel {
  readonly name: string;
  readonly hash: string;
  readonly card: Card | null;
  /** `evaluation`: frozen, never served; `unknown`: in the folder only, nothing was stored yet; `broken`: its card cannot be read. */
  readonly status: ModelRow["status"] | "evaluation" | "unknown" | "broken";
  /** Null: the folder has no such file any more. */
  readonly folder: string | null;
  /** What is wrong with its card. */
  readonly trouble: Failure | null;
}

/** Models that a keeper fitted itself. */
const REFIT_NAME = /^refit-\d{4}-\d{2}-\d{2}-[0-9a-f]{8}$/;

export class ModelRegistry {
  constructor(
    private readonly store: ModelStore,
    /** Of the models that it came with. */
    readonly folder: string,
    /** Of those that it fitted itself since. */
    readonly refits: string = folder,
  ) {}

  async list(): Promise<KnownModel[]> {
    const rows = await this.store.all();
    const found = this.found();
    const stored = rows.map((row) => {
      const here = found.find(({ card }) => isCard(card) && card.sha256 === row.hash);
      const card = here !== undefined && isCard(here.card) ? here.card : null;
      const { name, hash, status } = row;
      return { name, hash, status, card, folder: here?.folder ?? null, trouble: null };
    });
    const others = found.filter(({ card }) => !isCard(card) || !rows.some(({ hash }) => hash === card.sha256));
    return [...stored, ...others.map(notStored)];
  }

  /** @throws InputFailure `MODEL_UNKNOWN`. */
  async named(name: string): Promise<KnownModel> {
    const all = await this.list();
    // A refit under an old name: the one that is there.
    const found = all
      .filter((one) => one.name === name)
      .sort((a, b) => Number(b.folder !== null) - Number(a.folder !== null))[0];
    if (found !== undefined) return found;
    throw new InputFailure("MODEL_UNKNOWN", `there is no model ${JSON.stringify(name)}`, {
      field: "NAME",
      remedy: "See the names with tiller models list.",
    });
  }

  /**
   * Registers what the folders have to serve, as challengers; where nobody ever chose, the one of those that it came with that was
   * trained last is served.
   * @returns whether a model is served that was not before.
   */
  async register(): Promise<boolean> {
    const served = this.found().flatMap(({ card }) => (isCard(card) && card.role === "served" ? [card] : []));
    for (const card of served) {
      await this.store.register({ hash: card.sha256, name: card.name, card: JSON.stringify(card) });
    }
    const shipped = served.filter(({ name }) => !REFIT_NAME.test(name));
    const first = shipped.sort((a, b) => b.trainWindow.to - a.trainWindow.to)[0];
    if (first === undefined || (await this.store.changes(1)).length > 0) return false;
    const reason = "it came with this version, and nobody had chosen";
    return this.store.serve(first.sha256, { kind: "shipped", reason, scores: null });
  }

  /** @throws InputFailure `MODEL_GONE`, `MODEL_…` as {@link loadModel}. */
  async load({ hash, name }: Pick<ModelRow, "hash" | "name">): Promise<ServedModel> {
    const found = this.findFile(hash);
    if (found === undefined) throw this.gone(name);
    const model = await loadModel(found.folder);
    // Changed between the two looks.
    if (model.hash !== hash) throw this.gone(name);
    return model;
  }

  /**
   * Serves a challenger if the rule says so.
   * @throws InputFailure `MODEL_UNKNOWN`, `MODEL_NOT_CHALLENGER`, `MODEL_NOT_BETTER`, `MODEL_GONE`, `MODEL_…`.
   */
  async promote(name: string): Promise<Verdict> {
    await this.register();
    const challenger = await this.named(name);
    const champion = await this.store.champion();
    if (challenger.status !== "challenger" && challenger.status !== "retired") {
      throw new InputFailure("MODEL_NOT_CHALLENGER", `is ${challenger.status}`, {
        field: name,
        remedy:
          challenger.status === "champion" ? "It is served already." : "Only models with role served can be served.",
      });
    }
    // What cannot be loaded is not promoted.
    const { card } = await this.load(challenger);
    const verdict = await this.judge(card, champion);
    if (!verdict.promote) {
      throw new InputFailure("MODEL_NOT_BETTER", verdict.reason, {
        field: name,
        remedy: `Let it run on in the shadow, or train another; the rule is in keeper/forecast/README.md.`,
      });
    }
    const scores = JSON.stringify({ rule: PROMOTION, against: champion?.name ?? "baseline", horizons: verdict.scores });
    await this.store.serve(challenger.hash, { kind: "promoted", reason: verdict.reason, scores });
    return verdict;
  }

  /** What the rule says of a model beside the one that is served, on hours that neither was trained on. */
  async judge(card: Card, champion: ModelRow | null): Promise<Verdict> {
    const other = champion === null ? null : (JSON.parse(champion.card) as Card);
    const from = Math.max(card.trainWindow.to, other?.trainWindow.to ?? 0);
    const pairs = await this.store.pairs({ challenger: card.sha256, champion: champion?.hash ?? null, from });
    const served = new Set([...card.servedHorizonsHours, ...(other?.servedHorizonsHours ?? [])]);
    return verdictOf(
      pairs,
      HORIZONS.filter((hours) => served.has(hours)),
    );
  }

  /**
   * Serves what was served before the last change, or the EWMA.
   * @throws InputFailure `MODEL_NO_PAST`, `MODEL_GONE`, `MODEL_…`.
   */
  async rollBack(reason: string): Promise<{ readonly from: string; readonly to: string }> {
    const rows = await this.store.all();
    const nameOf = (hash: string | null): string => rows.find((row) => row.hash === hash)?.name ?? "ewma";
    const current = (await this.store.champion())?.hash ?? null;
    const last = lastForward(await this.store.changes(MOST_CHANGES));
    if (last === null) {
      throw new InputFailure("MODEL_NO_PAST", "nothing was served before", {
        field: "rollback",
        remedy: "See what was served when with tiller models list.",
      });
    }
    const to = last.previous;
    if (to !== null) await this.load({ hash: to, name: nameOf(to) });
    await this.store.serve(to, { kind: "rolled-back", reason, scores: null });
    return { from: nameOf(current), to: nameOf(to) };
  }

  /** A refit of that name as it is loaded; null where there is none, or none that can be. */
  async refitted(name: string): Promise<ServedModel | null> {
    const found = modelsIn(this.refits).find((one) => one.name === name);
    if (found === undefined) return null;
    try {
      return await loadModel(found.folder);
    } catch (error) {
      if (error instanceof InputFailure) return null;
      throw error;
    }
  }

  /**
   * Deletes refits that never served and were registered before `before` (unix seconds), but for the one named `but`.
   * @returns their names.
   */
  async deleteRefits(before: number, but: string): Promise<string[]> {
    const rows = await this.store.all();
    const served = new Set((await this.store.changes(MOST_CHANGES)).flatMap(({ hash, previous }) => [hash, previous]));
    const old = modelsIn(this.refits).filter(({ name, card }) => {
      if (!REFIT_NAME.test(name) || name === but || !isCard(card) || served.has(card.sha256)) return false;
      const row = rows.find(({ hash }) => hash === card.sha256);
      return row !== undefined && row.registeredAt < before;
    });
    for (const { folder } of old) rmSync(folder, { recursive: true, force: true });
    return old.map(({ name }) => name);
  }

  private found(): FoundModel[] {
    return [...new Set([this.folder, this.refits])].flatMap((folder) => modelsIn(folder));
  }

  private findFile(hash: string): FoundModel | undefined {
    return this.found().find(({ card }) => isCard(card) && card.sha256 === hash);
  }

  private gone(name: string): InputFailure {
    return new InputFailure("MODEL_GONE", `the file of ${name} is not there any more`, {
      field: path.join(this.folder, name),
      remedy: "Restore its folder, or serve another with tiller models promote or rollback.",
    });
  }
}

const MOST_CHANGES = 1_000;

/** The change that brought what is served now: the newest that no rollback has undone. Two rollbacks in a row go two steps back. */
function lastForward(newestFirst: readonly ModelChange[]): ModelChange | null {
  let undone = 0;
  for (const change of newestFirst) {
    if (change.kind === "rolled-back") undone += 1;
    else if (undone === 0) return change;
    else undone -= 1;
  }
  return null;
}

function notStored({ name, folder, card }: FoundModel): KnownModel {
  if (!isCard(card)) return { name, hash: "", card: null, status: "broken", folder, trouble: card };
  const status = card.role === "evaluation" ? "evaluation" : "unknown";
  return { name, hash: card.sha256, card, status, folder, trouble: null };
}

/** In the data folder: models that the keeper fitted itself. */
const REFITS_FOLDER = "models";

export function registryOf(config: Config, store: Store): ModelRegistry {
  return new ModelRegistry(
    store.models,
    config.forecast.models ?? MODELS_FOLDER,
    path.join(config.dataDir, REFITS_FOLDER),
  );
}
