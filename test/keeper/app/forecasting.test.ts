// The model in the loop, with a real database, a real runtime and genuine files: served where it can be, the EWMA wherever
// anything is wrong, a challenger in the shadow, and who is served next.
import { failureOf } from "./failureOf";
import { expect } from "chai";
import { appendFileSync, cpSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Forecasting } from "../../../keeper/app/forecasting";
import { ModelRegistry } from "../../../keeper/app/modelRegistry";
import { loadRiskModels, outlookOf } from "../../../keeper/app/outlookWatch";
import type { Forecast } from "../../../keeper/decide/strategy";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { LiveForecasts } from "../../../keeper/forecast/liveForecasts";
import { MODELS_FOLDER } from "../../../keeper/forecast/modelFolder";
import type { HistoryRow, ReadingRow } from "../../../keeper/store/historyRecords";
import { openStore } from "../../../keeper/store/open";
import type { ObservationRow, Store } from "../../../keeper/store/records";
import { seeded } from "../../../scripts/bench/randomProblems";
import { cardOfModel, writeModel, type LinearModel } from "../forecast/onnxFixture";

const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const DAYS = 40;
const NOW = BEGIN + DAYS * 24 * HOUR;
const VENUES = ["aave-usdc", "comet-usdc"];
const CHAIN = 31_337;

/** Rates that come back to 5 %. */
function historyOf(venue: string): HistoryRow[] {
  const random = seeded(VENUES.indexOf(venue) + 1);
  let apr = 0.05;
  return Array.from({ length: DAYS * 24 }, (_, k) => {
    apr += 0.2 * (0.05 - apr) + 0.01 * (random() - 0.5);
    const at = BEGIN + k * HOUR;
    return {
      ...{ observedAt: at - 60, availableAt: at, block: k, blockHash: null, source: "made-up" },
      ...{ suppliedUsd: 1e9, borrowedUsd: 8e8, supplyApr: apr, borrowApr: apr * 1.3, index: null, flags: 0 },
    };
  });
}

const EWMA: readonly Forecast[] = VENUES.map((venue) => ({
  ...{ venue, model: "ewma", apr: 0.042, currentApr: 0.05, historySeconds: 1e6 },
}));

/** Says the mean of late, and something more. */
const plus = (bias: number): LinearModel => ({ bias, scale: 0.003 });
/** Says 5 %, which rates come back to. */
const RIGHT: LinearModel = { weights: { ewma_24h: -1 }, bias: 0.05, scale: 0.003 };
/** Hours in the shadow. */
const SHADOW = 420;
const RISK = "risk-exit-illiquidity-24h-served";
const DEPEG = "risk-depeg-24h-served";
const [USDC, USDT] = ["0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0xdAC17F958D2ee523a2206206994597C13D831ec7"];
/** The same while four fifths are lent out, as they were; at nine tenths it says 25 %, until its weight is gone. */
const TURNING: LinearModel = { weights: { ewma_24h: -1, utilisation: 2 }, bias: 0.05 - 1.6, scale: 0.003 };
const SERVES = { servedHorizonsHours: [24] };

describe("the model in the loop", function () {
  this.timeout(300_000);
  let folder: string;
  let models: string;
  let store: Store;
  let events: KeeperEvent[];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-forecasting-"));
    models = path.join(folder, "models");
    store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    for (const name of VENUES) await store.history.addHistory({ chainId: CHAIN, name }, historyOf(name));
    events = [];
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const registry = (): ModelRegistry => new ModelRegistry(store.models, models);
  const forecasting = (over: { persist?: boolean; horizonHours?: number } = {}): Forecasting =>
    new Forecasting({
      ...{ chainId: CHAIN, venues: VENUES, horizonHours: over.horizonHours ?? 24, assetUsd: 1 },
      ...{ registry: registry(), store, sink: { emit: (event) => events.push(event) }, persist: over.persist ?? true },
    });
  /** @param borrowed Of a billion. */
  const observed = (at: number, borrowed = 800_000_000): { observations: ObservationRow[]; decimals: number } => ({
    decimals: 6,
    observations: VENUES.map((venue) => ({
      ...{ chainId: CHAIN, venue, adapter: `0x${"1".repeat(40)}`, blockNumber: 5, blockHash: `0x${"2".repeat(64)}` },
      ...{
        observedAt: at - 2,
        availableAt: at,
        source: "lens",
        supplied: "1000000000000000",
        borrowed: String(borrowed * 1e6),
      },
      ...{
        supplyApr: 0.05,
        supplyAprWithoutUs: 0.05 + 0.004 * Math.sin(at / 9_000) + 0.002 * Math.sin(at / 50_000),
        borrowApr: 0.06,
        vaultAssets: "0",
        index: null,
      },
    })),
  });
  const serve = (one: Forecasting, at = NOW + 60, borrowed?: number): Promise<Forecast[]> =>
    one.serve(EWMA, observed(at, borrowed), at);
  /** As a keeper that runs would be asked: once an hour. */
  const serveHourly = async (one: Forecasting, from: number, to: number): Promise<void> => {
    for (let hour = from; hour < to; hour += 1) await serve(one, NOW + hour * HOUR + 60, 900e6);
  };
  const named = (name: string): KeeperEvent[] => events.filter((event) => event.name === name);

  it("is served: name, hash, forecast and bounds go into what is decided on", async () => {
    const model = plus(0.004);
    writeModel(models, model, { name: "first", ...SERVES });
    const [one] = await serve(forecasting());
    expect(one).to.include({ venue: "aave-usdc", model: "first", currentApr: 0.05 });
    expect(one?.apr).to.be.within(0.04, 0.07);
    const { hash, horizonHours, low, high } = one?.trained ?? { hash: "", horizonHours: 0, low: 1, high: 0 };
    expect(hash).to.equal(cardOfModel(model).sha256);
    expect(horizonHours).to.equal(24);
    expect(low).to.be.below(one?.apr ?? 0);
    expect(high).to.be.above(one?.apr ?? 1);
    expect(named("model.served")).to.deep.equal([{ name: "model.served", model: "first", hash, horizonsHours: [24] }]);
    expect(named("model.trouble")).to.deep.equal([]);
  });

  it("speaks for the time frames that it serves, and the EWMA for the others", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    const frames = [1, 4, 24, 168].map((hours) => ({ hours, apr: 0.042 }));
    const at = NOW + 60;
    const [one] = await forecasting().serve(
      EWMA.map((forecast) => ({ ...forecast, frames })),
      observed(at),
      at,
    );
    expect(one?.frames).to.deep.equal([...frames.slice(0, 2), { hours: 24, apr: one?.apr }, frames[3]]);
  });

  it("leaves horizons that it does not serve to the EWMA", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    expect(await serve(forecasting({ horizonHours: 168 }))).to.deep.equal(EWMA);
  });

  it("is not there: the EWMA, and it is said once", async () => {
    const one = forecasting();
    expect(await serve(one)).to.deep.equal(EWMA);
    expect(await serve(one, NOW + 120)).to.deep.equal(EWMA);
    expect(await serve(one, NOW + HOUR + 60)).to.deep.equal(EWMA);
    expect(named("model.trouble")).to.deep.equal([
      { name: "model.trouble", code: "MODEL_NONE", message: "no trained model is served: the EWMA is" },
    ]);
  });

  it("is corrupted: the EWMA, loudly; and it is served again when the file is back", async () => {
    const place = writeModel(models, plus(0.004), { name: "first", ...SERVES });
    await registry().register();
    renameSync(path.join(place, "model.onnx"), path.join(folder, "aside"));
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    appendFileSync(path.join(place, "model.onnx"), "x");
    const one = forecasting();
    expect(await serve(one)).to.deep.equal(EWMA);
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_HASH"]);
    renameSync(path.join(folder, "aside"), path.join(place, "model.onnx"));
    expect((await serve(one, NOW + HOUR + 60))[0]?.model).to.equal("first");
    expect(named("model.served").length).to.equal(1);
    rmSync(place, { recursive: true });
    const after = forecasting();
    expect(await serve(after)).to.deep.equal(EWMA);
    expect(named("model.trouble").at(-1)).to.include({ code: "MODEL_GONE" });
  });

  it("is served on beside a challenger that is corrupted, which is said once", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    await registry().register();
    const challenger = writeModel(models, RIGHT, { name: "second", ...SERVES });
    await registry().register();
    appendFileSync(path.join(challenger, "model.onnx"), "x");
    const one = forecasting();
    for (let hour = 0; hour < 3; hour += 1) {
      expect((await serve(one, NOW + hour * HOUR + 60))[0]?.model).to.equal("first");
    }
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_HASH"]);
    expect(named("model.served").length).to.equal(1);
  });

  it("says once that an event is likely at a venue, and once that it is not any more", async () => {
    cpSync(path.join(MODELS_FOLDER, RISK), path.join(models, RISK), { recursive: true });
    const one = forecasting();
    const borrowed = [800, 980, 985, 800, 800];
    for (const [hour, millions] of borrowed.entries()) await serve(one, NOW + hour * HOUR + 60, millions * 1e6);
    const told = events.filter(({ name }) => name.startsWith("risk."));
    expect(told.map((event) => `${event.name} ${"series" in event ? event.series : ""}`)).to.deep.equal([
      ...["risk.likely aave-usdc", "risk.likely comet-usdc", "risk.unlikely aave-usdc", "risk.unlikely comet-usdc"],
    ]);
    expect(told[0]).to.include({ event: "exit-illiquidity-24h", horizonHours: 24, note: "it is so already" });
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_NONE"]);
  });

  it("foretells depegs of the pools of two dollars that are followed, from what was read of them", async () => {
    cpSync(path.join(MODELS_FOLDER, DEPEG), path.join(models, DEPEG), { recursive: true });
    const [loaded] = (await loadRiskModels(models)).models;
    if (loaded === undefined) throw new Error("there is no model");
    // Fifteen days and eight hours: at its peg, off it, and back.
    const ticks = (hour: number): number =>
      hour < 0 ? Math.round(2 * Math.sin(hour / 3)) : hour < 2 ? 12 : hour < 4 ? 19 : 1;
    const read = Array.from({ length: 2 * (15 * 24 + 8) }, (_, k) => NOW - 15 * 24 * HOUR + k * 1_800);
    const rows = (subject: string, tokens: readonly string[]): ReadingRow[] =>
      read.map((at, k) => ({
        ...{
          chainId: CHAIN,
          source: "uniswap-v3",
          subject,
          block: k,
          blockHash: `0x${k.toString(16).padStart(64, "0")}`,
        },
        ...{ observedAt: at - 3, availableAt: at },
        state: JSON.stringify({
          ...{ tokens, decimals: [6, 6], feePips: 100, tick: ticks(Math.floor((at - NOW) / HOUR)), meanTick: null },
          liquidity: "430394234327008495",
        }),
      }));
    await store.history.addReadings(rows("usdc-usdt-pool", [USDC, USDT]));
    await store.history.addReadings(rows("usdc-weth-pool", [USDC, `0x${"3".repeat(40)}`]));
    await store.history.addReadings(rows("elsewhere", [USDC, USDT]).map((row) => ({ ...row, chainId: 1 })));
    const one = forecasting();
    for (let hour = 0; hour < 7; hour += 1) {
      await serve(one, NOW + hour * HOUR + 60);
      const prices = { chainId: CHAIN, history: store.history };
      const of = { live: new LiveForecasts(null), prices, at: NOW + hour * HOUR + 60 };
      const found = await outlookOf([loaded], of);
      expect(found.map(({ series, event }) => `${series} ${event}`)).to.deep.equal(["usdc-usdt-pool depeg-24h"]);
      const { probability, note } = found[0] ?? { probability: null, note: "" };
      if (hour < 2) expect(probability, `hour ${hour}: ${note}`).to.be.within(0.1, 1);
      else if (hour < 4) expect(note, `hour ${hour}`).to.equal("it is so already");
      else expect(probability, `hour ${hour}: ${note}`).to.be.within(0, 0.05);
    }
    const told = events.filter(({ name }) => name.startsWith("risk."));
    expect(told.map((event) => `${event.name} ${"series" in event ? event.series : ""}`)).to.deep.equal([
      ...["risk.likely usdc-usdt-pool", "risk.unlikely usdc-usdt-pool"],
    ]);
    expect(told[0]).to.include({ event: "depeg-24h", horizonHours: 24, note: null });
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_NONE"]);
  });

  it("serves rates on beside a model of depegs that is corrupted, which is said once", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    cpSync(path.join(MODELS_FOLDER, DEPEG), path.join(models, DEPEG), { recursive: true });
    appendFileSync(path.join(models, DEPEG, "model.onnx"), "x");
    const one = forecasting();
    for (let hour = 0; hour < 3; hour += 1) {
      expect((await serve(one, NOW + hour * HOUR + 60))[0]?.model).to.equal("first");
    }
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_HASH"]);
  });

  it("serves rates on beside a model of risk that is corrupted, which is said once", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    cpSync(path.join(MODELS_FOLDER, RISK), path.join(models, RISK), { recursive: true });
    appendFileSync(path.join(models, RISK, "model.onnx"), "x");
    const one = forecasting();
    for (let hour = 0; hour < 3; hour += 1) {
      expect((await serve(one, NOW + hour * HOUR + 60))[0]?.model).to.equal("first");
    }
    expect(named("model.trouble").map((event) => ("code" in event ? event.code : ""))).to.deep.equal(["MODEL_HASH"]);
    rmSync(path.join(models, RISK), { recursive: true });
    cpSync(path.join(MODELS_FOLDER, RISK), path.join(models, RISK), { recursive: true });
    await serve(one, NOW + 3 * HOUR + 60, 980e6);
    expect(named("risk.likely").length).to.equal(VENUES.length);
  });

  it("says what is no number: the EWMA, for that venue, with the reason", async () => {
    writeModel(models, { weights: { supplied: 1e38 }, bias: 1e38 }, { name: "wild", ...SERVES });
    expect(await serve(forecasting())).to.deep.equal(EWMA);
    expect(named("model.distrusted")).to.deep.include({
      ...{ name: "model.distrusted", series: "aave-usdc", horizonHours: 24 },
      reason: "it answered with what is no number",
    });
  });

  it("is asked what it never saw: the EWMA, with the reason, once", async () => {
    const narrow = { mean: 0, sd: 1, p01: 0.4, p50: 0.5, p99: 0.6, nanShare: 0 };
    const card = cardOfModel(plus(0.004));
    const featureStats = Object.fromEntries(card.features.map(({ name }) => [name, narrow]));
    writeModel(models, plus(0.004), { name: "first", ...SERVES, featureStats });
    const one = forecasting();
    expect(await serve(one)).to.deep.equal(EWMA);
    await serve(one, NOW + 120);
    const told = named("model.distrusted");
    expect(told.length).to.equal(VENUES.length);
    expect(told[0])
      .to.have.property("reason")
      .that.matches(/unusual where it was trained/);
  });

  it("runs a challenger in the shadow, refuses it while it is worse, takes a better one, and goes back in one step", async () => {
    writeModel(models, plus(0.02), { name: "old", ...SERVES, trainWindow: { from: 0, to: 1 } });
    await registry().register();
    writeModel(models, TURNING, { name: "worse", ...SERVES, trainWindow: { from: 0, to: 1 } });
    writeModel(models, RIGHT, { name: "better", ...SERVES, trainWindow: { from: 0, to: 1 } });
    writeModel(models, plus(0.001), { name: "frozen", role: "evaluation" });
    expect((await registry().list()).map(({ name, status }) => `${name} ${status}`)).to.have.members([
      ...["old champion", "better unknown", "worse unknown", "frozen evaluation"],
    ]);
    expect(await failureOf(registry().promote("better"))).to.match(/^MODEL_NOT_BETTER: 0 hours are known at 24 h/);

    const shadow = forecasting();
    const [one] = await serve(shadow);
    expect(one?.model, "a shadow decides nothing").to.equal("old");
    const judged = async () => registry().judge(cardOfModel(RIGHT, SERVES), await store.models.champion());
    expect((await judged()).scores[0]?.hours, "a month that was caught up with was in nobody's shadow").to.equal(0);
    await serveHourly(shadow, 1, 336 + 24);
    expect((await judged()).reason).to.match(/^335 hours are known at 24 h; 336 are needed$/);
    await serveHourly(shadow, 336 + 24, SHADOW);
    const verdict = await judged();
    expect(verdict.scores[0]?.hours).to.equal(SHADOW - 25);
    expect(verdict.scores[0]?.maeChallenger).to.be.below(verdict.scores[0]?.maeChampion ?? 0);

    expect(await failureOf(registry().promote("worse"))).to.match(/^MODEL_NOT_BETTER: at 24 h its error is/);
    expect(await failureOf(registry().promote("frozen"))).to.match(/^MODEL_NOT_CHALLENGER/);
    expect(await failureOf(registry().promote("old"))).to.match(/^MODEL_NOT_CHALLENGER/);
    expect(await failureOf(registry().promote("nobody"))).to.match(/^MODEL_UNKNOWN/);
    expect((await store.models.champion())?.name).to.equal("old");

    expect((await registry().promote("better")).promote).to.equal(true);
    const running = forecasting();
    const later = (hour: number): number => NOW + (SHADOW + hour) * HOUR + 60;
    expect((await serve(running, later(0)))[0]?.model).to.equal("better");
    expect(await registry().rollBack("a test")).to.deep.equal({ from: "better", to: "old" });
    expect((await serve(running, later(1)))[0]?.model, "a keeper that runs looks every hour").to.equal("old");
    expect(await registry().rollBack("a test")).to.deep.equal({ from: "old", to: "ewma" });
    expect(await serve(running, later(2))).to.deep.equal(EWMA);
    expect(await failureOf(registry().rollBack("a test"))).to.match(/^MODEL_NO_PAST/);
    expect((await store.models.changes(9)).map(({ kind }) => kind)).to.deep.equal([
      ...["rolled-back", "rolled-back", "promoted", "shipped"],
    ]);

    // There and back again and there: each step back is of the choice that is in force, and none is undone twice.
    const { sha256: better } = cardOfModel(RIGHT);
    const { sha256: old } = cardOfModel(plus(0.02));
    const chosen = { kind: "promoted", reason: "a test", scores: null } as const;
    for (const hash of [old, better, old]) await store.models.serve(hash, chosen);
    for (const to of ["better", "old", "ewma"]) {
      expect((await registry().rollBack("a test")).to).to.equal(to);
    }
    expect(await failureOf(registry().rollBack("a test"))).to.match(/^MODEL_NO_PAST/);
  });

  it("judges no hour that one of the two was trained on", async () => {
    const to = NOW + 10 * HOUR;
    writeModel(models, plus(0.02), { name: "old", ...SERVES, trainWindow: { from: 0, to: 1 } });
    await registry().register();
    const card = { name: "better", ...SERVES, trainWindow: { from: 0, to } };
    writeModel(models, RIGHT, card);
    await serveHourly(forecasting(), 0, 60);
    const verdict = await registry().judge(cardOfModel(RIGHT, card), await store.models.champion());
    // Sixty hours, less the ten, and less the last day, of which it is not known a minute after the hour what came.
    expect(verdict.scores[0]?.hours).to.equal(60 - 10 - 25);
    expect(verdict.promote).to.equal(false);
  });

  it("goes on after a restart with what it had learnt, and a dry run stores nothing", async () => {
    writeModel(models, plus(0.004), { name: "first", ...SERVES });
    await registry().register();
    const dry = await serve(forecasting({ persist: false }));
    const key = { chainId: CHAIN, series: "aave-usdc", modelHash: cardOfModel(plus(0.004)).sha256 };
    expect(await store.models.state(key)).to.equal(null);
    const first = await serve(forecasting());
    expect(first).to.deep.equal(dry);
    const kept = await store.models.state(key);
    expect(kept).to.be.a("string");
    expect(await serve(forecasting())).to.deep.equal(first);
    expect(await store.models.state(key)).to.equal(kept);
    expect(existsSync(models)).to.equal(true);
  });
});
