// `tiller models list|show|promote|rollback`: trained models, which of them is served, and how that changes; `refit` is in refit.ts.
// A keeper that runs looks once an hour.
import { Command } from "commander";
import { registryOf } from "../app/modelRegistry";
import { withStore } from "../app/withStore";
import type { KnownModel, ModelRegistry } from "../app/modelRegistry";
import type { HorizonScore } from "../backtest/forecasts/promotion";
import { utcDay } from "../collect/utcDay";
import { loadConfig } from "../config/load";
import { silent } from "../events/events";
import type { RiskCard } from "../forecast/card";
import { riskModelsIn, type FoundRiskModel } from "../forecast/riskModel";
import type { ModelChange, ModelStore } from "../store/modelRecords";
import { printJson, table } from "./printing";
import { refitCommand } from "./refit";

interface ModelsOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Changes that list shows. */
const SHOWN = 10;

export function modelsCommand(): Command {
  const list = withOptions(new Command("list").description("the models that there are, and which is served")).action(
    (options: ModelsOptions) =>
      withRegistry(options, async (registry, store) => {
        const models = await registry.list();
        const changes = await store.changes(SHOWN);
        const events = riskModelsIn(registry.folder);
        if (options.json === true) {
          printJson({ models: models.map(jsonOf), eventModels: events.map(eventJsonOf), changes });
        } else process.stdout.write(`${described(models, changes)}${describedEvents(events)}`);
      }),
  );
  const show = withOptions(
    new Command("show").description("a model's card, and how it does in the shadow").argument("<name>"),
  ).action((name: string, options: ModelsOptions) =>
    withRegistry(options, async (registry, store) => {
      const event = riskModelsIn(registry.folder).find((one) => one.name === name);
      if (event !== undefined) {
        if (options.json === true) printJson({ ...eventJsonOf(event), card: isFound(event.card) ? event.card : null });
        else process.stdout.write(eventCard(event));
        return;
      }
      const model = await registry.named(name);
      const champion = await store.champion();
      const verdict =
        model.card === null || model.hash === champion?.hash ? null : await registry.judge(model.card, champion);
      if (options.json === true) printJson({ ...jsonOf(model), card: model.card, shadow: verdict });
      else {
        const shadow =
          verdict === null
            ? ""
            : `\n${verdict.promote ? "better" : "not to be promoted"}: ${verdict.reason}\n${scored(verdict.scores)}`;
        process.stdout.write(`${card(model)}${shadow}`);
      }
    }),
  );
  const promote = withOptions(
    new Command("promote").description("serve a challenger, if the rule says that it is better").argument("<name>"),
  ).action((name: string, options: ModelsOptions) =>
    withRegistry(options, async (registry) => {
      const { reason, scores } = await registry.promote(name);
      if (options.json === true) printJson({ served: name, reason, scores });
      else process.stdout.write(`${name} is served: ${reason}\n${scored(scores)}`);
    }),
  );
  const rollback = withOptions(new Command("rollback").description("serve what was served before"))
    .option("--reason <text>", "kept with the change", "rolled back by hand")
    .action((options: ModelsOptions & { readonly reason: string }) =>
      withRegistry(options, async (registry) => {
        const { from, to } = await registry.rollBack(options.reason);
        if (options.json === true) printJson({ from, to });
        else process.stdout.write(`${to} is served instead of ${from}\n`);
      }),
    );
  const models = new Command("models").description("trained models: what is served, what would like to be");
  for (const command of [list, show, promote, rollback, refitCommand()]) models.addCommand(command);
  return models;
}

function withOptions(command: Command): Command {
  return command.option("--config <file>", "config file").option("--json", "one JSON document");
}

function withRegistry(
  options: ModelsOptions,
  work: (registry: ModelRegistry, store: ModelStore) => Promise<void>,
): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env, offline: true });
  return withStore(config, silent, (store) => work(registryOf(config, store), store.models));
}

function jsonOf({ name, hash, status, card, folder, trouble }: KnownModel): object {
  return {
    ...{ name, hash, status, present: folder !== null, kind: card?.kind ?? null, role: card?.role ?? null },
    ...{ trainWindow: card?.trainWindow ?? null, servedHorizonsHours: card?.servedHorizonsHours ?? null },
    trouble: trouble?.toJSON() ?? null,
  };
}

function described(models: readonly KnownModel[], changes: readonly ModelChange[]): string {
  if (models.length === 0) return "no trained model: the EWMA is served\n";
  const head = ["model", "status", "kind", "trained on", "horizons, h", "hash"];
  const rows = models.map(({ name, status, card, folder, hash, trouble }) => [
    ...[name, folder === null ? `${status}, file gone` : status, card?.kind ?? trouble?.message ?? "–"],
    ...[card === null ? "–" : span(card.trainWindow), card?.servedHorizonsHours.join(", ") ?? "–", hash.slice(0, 16)],
  ]);
  const nameOf = (hash: string | null): string => models.find((one) => one.hash === hash)?.name ?? "ewma";
  const history = changes.map(
    ({ changedAt, kind, hash, reason }) =>
      `${new Date(changedAt * 1000).toISOString()}  ${kind} ${nameOf(hash)}: ${reason}`,
  );
  return `${table(head, rows)}\n${history.length === 0 ? "" : `\n${history.join("\n")}\n`}`;
}

function card({ name, status, hash, card, trouble }: KnownModel): string {
  if (card === null) return `${name}: ${status}${trouble === null ? "" : `, ${trouble.line()}`}\n`;
  const errors = Object.entries(card.errorStats).map(([hours, { mae }]) => `${hours} h ${(100 * mae).toFixed(2)} pp`);
  return [
    `${name}: ${status}, ${card.kind}, trained on ${span(card.trainWindow)}, ${card.trainSeries.length} series`,
    `serves ${card.servedHorizonsHours.join(", ")} h; mean absolute errors of unseen hours: ${errors.join(", ")}`,
    `model ${hash}`,
    `data ${card.dataHash}, code ${card.codeCommit}, ${card.features.length} features of version ${card.featureVersion}`,
    "",
  ].join("\n");
}

/** No registry chooses among models of events: of those that are to be served every one foretells its own. */
function eventJsonOf({ name, card }: FoundRiskModel): object {
  if (!isFound(card)) return { name, status: "broken", trouble: card.toJSON() };
  const { sha256: hash, kind, role, event, trainWindow } = card;
  return { name, hash, status: role, kind, event, trainWindow, trouble: null };
}

/** Nothing where there are none. */
function describedEvents(events: readonly FoundRiskModel[]): string {
  if (events.length === 0) return "";
  const head = ["model of an event", "status", "kind", "trained on", "horizon, h", "hash"];
  const rows = events.map(({ name, card }) =>
    isFound(card)
      ? [name, card.role, card.kind, span(card.trainWindow), String(card.event.horizonHours), card.sha256.slice(0, 16)]
      : [name, "broken", card.message, "–", "–", ""],
  );
  return `\n${table(head, rows)}\n`;
}

function eventCard({ name, card }: FoundRiskModel): string {
  if (!isFound(card)) return `${name}: broken, ${card.line()}\n`;
  const { event, trainWindow, trainSeries } = card;
  const [medium, high] = event.classes.map((probability) => `${(100 * probability).toFixed(0)} %`);
  return [
    `${name}: ${card.role}, ${card.kind}, trained on ${span(trainWindow)}, ${trainSeries.length} series`,
    `foretells ${event.name}: Medium from ${medium}, High from ${high}; it came after ${(100 * event.prevalence).toFixed(2)} % of the hours that were scored`,
    `model ${card.sha256}`,
    `data ${card.dataHash}, code ${card.codeCommit}, ${card.features.length} features of version ${card.featureVersion}`,
    "",
  ].join("\n");
}

function isFound(card: FoundRiskModel["card"]): card is RiskCard {
  return !(card instanceof Error);
}

function scored(scores: readonly HorizonScore[]): string {
  const head = ["horizon, h", "hours", "forecasts", "its error, pp", "the served one's, pp", "DM t", "coverage"];
  const rows = scores.map((one) => [
    ...[String(one.horizonHours), String(one.hours), String(one.n)],
    ...[one.maeChallenger, one.maeChampion].map((error) => (one.n === 0 ? "–" : error.toFixed(3))),
    one.dmT === null ? "–" : one.dmT.toFixed(1),
    one.n === 0 ? "–" : `${(100 * one.coverage).toFixed(1)} %`,
  ]);
  return `${table(head, rows, head)}\n`;
}

function span({ from, to }: { readonly from: number; readonly to: number }): string {
  return `${utcDay(from)} to ${utcDay(to)}`;
}
