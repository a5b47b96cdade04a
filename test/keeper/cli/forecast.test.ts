// `tiller forecast evaluate` as a process: the fixed shape, series of any name, models of a folder, what is refused.
import { expect } from "chai";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { modelsOption } from "../../../keeper/cli/modelsOption";
import { MODELS_FOLDER } from "../../../keeper/forecast/modelFolder";
import { BEGIN, FIXTURE } from "../forecast/datasetFixture";
import { writeModel } from "../forecast/onnxFixture";
import { startTiller, writeSeries, type Ended } from "./tillerProcess";

const KEYS = [
  ...["series", "horizonHours", "n", "maePersistence", "maeEwma", "maeServed", "served", "skill", "dmT"],
  ...["coverage", "widthPp", "worst30dCoverage"],
];

describe("tiller forecast evaluate", () => {
  let folder: string;
  let models: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "forecast-"));
    models = path.join(folder, "models");
    for (const [name, rows] of FIXTURE) writeSeries(folder, name, rows);
    writeSeries(folder, "what.nobody-trained-on-xyz", FIXTURE.get("two-usdc") ?? []);
    writeModel(models, { weights: { apr_less_ewma: 0.5 } }, { name: "early", trainWindow: { from: 0, to: BEGIN } });
    writeModel(models, { bias: 1 }, { name: "late", trainWindow: { from: 0, to: 2_000_000_000 } });
  });
  after(() => rmSync(folder, { recursive: true }));

  const from = new Date((BEGIN + 300 * 3_600) * 1000).toISOString().replace(":00.000", "");
  const tiller = (...args: string[]): Promise<Ended> =>
    startTiller(folder, [
      ...["forecast", "evaluate", "--data", folder, "--from", from, "--to", "2023-12-05", "--models", models],
      ...args,
    ]).ended;

  interface Answer {
    readonly rows: Record<string, unknown>[];
    readonly dataHash: string;
    readonly pricesHash?: string;
    readonly model: { readonly name: string; readonly hash: string } | null;
    readonly events: Record<string, unknown>[];
    readonly eventModels: { readonly name: string; readonly event: string }[];
  }
  async function answer(...args: string[]): Promise<Answer> {
    const { code, out, err } = await tiller(...args, "--json");
    expect(err).to.equal("");
    expect(code).to.equal(0);
    return JSON.parse(out) as Answer;
  }

  it("answers in the fixed shape, in the order asked for, also for a name that no training saw", async () => {
    const { rows, dataHash, model } = await answer("--series", "what.nobody-trained-on-xyz", "one-usdc");
    expect(rows.map((row) => [row["series"], row["horizonHours"]])).to.deep.equal(
      ["what.nobody-trained-on-xyz", "one-usdc"].flatMap((name) => [1, 4, 24, 168].map((hours) => [name, hours])),
    );
    for (const row of rows) expect(Object.keys(row)).to.include.members(KEYS);
    expect(dataHash).to.match(/^[0-9a-f]{64}$/);
    expect(model?.name, "the last that was trained before the span").to.equal("early");
    expect(rows.map(({ served }) => served).slice(0, 4)).to.deep.equal([
      "persistence",
      "persistence",
      "early",
      "early",
    ]);
  });

  it("serves the model that is named, or none", async () => {
    const none = await answer("--series", "one-usdc", "--model", "ewma");
    expect(none.model).to.equal(null);
    expect(none.rows[3]).to.include({ served: "ewma", skill: 0 });
    const late = await answer("--series", "one-usdc", "--model", "late");
    expect(late.rows[3], "all was seen").to.include({ served: "late", n: 0, maeServed: null });
  });

  it("chooses no other model than it would where a card is broken, and asks no card that is not wanted", async () => {
    const broken = path.join(folder, "broken");
    writeModel(broken, {}, { name: "sound", trainWindow: { from: 0, to: 2_000_000_000 } });
    const card = path.join(writeModel(broken, {}, { name: "torn" }), "card.json");
    truncateSync(card, 100);
    const series = ["--series", "one-usdc", "--models", broken];
    const { code, out, err } = await tiller(...series, "--json");
    expect([code, out]).to.deep.equal([2, ""]);
    expect(JSON.parse(err)).to.have.nested.include({ "error.code": "MODEL_CARD", "error.field": card });
    expect((await answer(...series, "--model", "sound")).model?.name).to.equal("sound");
    expect((await answer(...series, "--model", "ewma")).model).to.equal(null);
    // Not even one card is left that could be read.
    rmSync(path.join(broken, "sound"), { recursive: true });
    expect((await tiller(...series)).code).to.equal(2);
  });

  describe("of events", () => {
    const FROZEN = "risk-exit-illiquidity-24h";
    let own: string;
    before(() => {
      own = path.join(folder, "own");
      writeModel(own, {}, { name: "early", trainWindow: { from: 0, to: BEGIN } });
      for (const name of [FROZEN, `${FROZEN}-served`]) {
        const place = path.join(own, name);
        cpSync(path.join(MODELS_FOLDER, name), place, { recursive: true });
        // As if it had been trained before the fixture, whatever it was trained on.
        const card = JSON.parse(readFileSync(path.join(place, "card.json"), "utf8")) as Record<string, unknown>;
        const to = name === FROZEN ? BEGIN - 86_400 : BEGIN;
        writeFileSync(path.join(place, "card.json"), JSON.stringify({ ...card, trainWindow: { from: 0, to } }));
      }
    });

    it("scores the frozen model, never the one that is served, beside the past and the one column", async () => {
      const page = path.join(folder, "page.html");
      const series = ["--series", "one-usdc", "two-usdc", "--models", own];
      const { code, out } = await tiller(...series, "--html", page, "--json");
      expect(code).to.equal(0);
      const { events, eventModels } = JSON.parse(out) as Answer;
      expect(eventModels.map(({ name, event }) => [name, event])).to.deep.equal([[FROZEN, "exit-illiquidity-24h"]]);
      expect(events.map((row) => row["series"])).to.deep.equal([null, "one-usdc", "two-usdc"]);
      for (const row of events) {
        expect(row).to.include({ event: "exit-illiquidity-24h", horizonHours: 24, served: FROZEN });
        expect(row).to.include.all.keys(
          "n",
          "prevalence",
          "events",
          "model",
          "climatology",
          "table",
          "rule",
          "classes",
        );
        expect(row["n"]).to.be.above(50);
        expect(row["model"]).to.include.all.keys("prAuc", "brier", "brierSkill", "reliability");
      }
      const text = readFileSync(page, "utf8");
      expect(text)
        .to.contain("<h2>Events</h2>")
        .and.to.match(/<circle [^>]*><title>exit-illiquidity-24h: said/);
      expect((await tiller(...series)).out).to.match(/exit-illiquidity-24h +all +\d+/);
    });

    it("scores depegs of a recorded price, alone and beside rates, and never one by the model of the other", async () => {
      const pair = "v3-usdc-usdt-1bp-recorded";
      const states = Array.from({ length: 480 }, (_, k) => {
        const off = k % 60 < 50 ? 0 : k % 60 < 56 ? 12 : 17;
        return `${BEGIN + k * 3_600},${18_570_000 + 300 * k},${Math.round(1.5 * Math.sin(k / 9)) + off},430394234327008495`;
      });
      writeFileSync(path.join(folder, `${pair}.csv`), `observed_at,block,tick,liquidity\n${states.join("\n")}\n`);
      const both = path.join(folder, "both");
      cpSync(own, both, { recursive: true });
      cpSync(path.join(MODELS_FOLDER, "risk-depeg-24h"), path.join(both, "risk-depeg-24h"), { recursive: true });
      const file = path.join(both, "risk-depeg-24h", "card.json");
      const card = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
      // As if what is made up here had been usual there.
      const stats = card["featureStats"] as Record<string, object>;
      const usual = Object.fromEntries(
        Object.keys(stats).map((name) => [name, { ...stats[name], p01: -1e9, p99: 1e9 }]),
      );
      const trainWindow = { from: 0, to: BEGIN - 86_400 };
      writeFileSync(file, JSON.stringify({ ...card, featureStats: usual, trainWindow }));

      const alone = await answer("--series", pair, "--models", both);
      expect(alone.rows).to.deep.equal([]);
      expect(alone.pricesHash).to.match(/^[0-9a-f]{64}$/);
      expect(alone.eventModels.map(({ event }) => event)).to.deep.equal(["depeg-24h"]);
      expect(alone.events.map((row) => [row["event"], row["series"]])).to.deep.equal([["depeg-24h", pair]]);
      const [row] = alone.events as [Record<string, unknown>];
      // Every third hour of 180 less the last day, and less those at which it is off: two of each sixty.
      expect(row["n"]).to.be.within(45, 52);
      expect(row["prevalence"]).to.be.within(0.3, 0.6);
      expect(row)
        .to.have.nested.property("model.prAuc")
        .that.is.above(row["prevalence"] as number);
      const beside = await answer("--series", "one-usdc", pair, "--models", both);
      expect(beside.events.map((one) => [one["event"], one["series"]])).to.deep.equal([
        ["depeg-24h", pair],
        ["exit-illiquidity-24h", "one-usdc"],
      ]);
      expect(beside.events[0]).to.deep.equal(row);
      expect(new Set(beside.rows.map((one) => one["series"]))).to.deep.equal(new Set(["one-usdc"]));
      const without = await answer("--series", "one-usdc", "--models", both);
      expect(without).not.to.have.property("pricesHash");
      expect(without.eventModels.map(({ event }) => event)).to.deep.equal(["exit-illiquidity-24h"]);
      expect(without.dataHash, "what is said of rates knows nothing of prices").to.equal(beside.dataHash);
      const said = (await tiller("--series", pair, "--models", both)).out;
      expect(said).to.match(/depeg-24h +v3-usdc-usdt-1bp-recorded +\d+/);
      // Nothing of rates, of which there are none.
      expect(said)
        .to.match(/^event .*\n\nprices [0-9a-f]{16}\n$/s)
        .and.not.to.match(/persistence/);
      const page = path.join(folder, "prices.html");
      expect((await tiller("--series", pair, "--models", both, "--html", page)).code).to.equal(0);
      expect(readFileSync(page, "utf8")).to.match(/<circle [^>]*><title>depeg-24h: said/);
      const before = ["--from", "2023-01-01", "--to", "2023-02-01"];
      const early = await tiller("--series", pair, "--models", both, ...before, "--json");
      expect(early.code).to.equal(2);
      expect(JSON.parse(early.err)).to.have.nested.include({
        "error.code": "EVALUATION_SPAN",
        "error.field": "--from",
      });
      writeFileSync(
        path.join(folder, `${pair}.csv`),
        `observed_at,block,tick,liquidity\n${states.slice(0, 9).join("\n")}\nx\n`,
      );
      const torn = await tiller("--series", pair, "--models", both, "--json");
      expect([torn.code, (JSON.parse(torn.err) as { error: { code: string } }).error.code]).to.deep.equal([
        2,
        "IMPORT_MALFORMED",
      ]);
    });

    it("scores none where none is asked for, and refuses one that is not what it should be", async () => {
      const none = await answer("--series", "one-usdc", "--models", own, "--model", "ewma");
      expect([none.events, none.eventModels]).to.deep.equal([[], []]);
      const torn = path.join(folder, "torn");
      cpSync(own, torn, { recursive: true });
      truncateSync(path.join(torn, FROZEN, "card.json"), 100);
      const { code, err } = await tiller("--series", "one-usdc", "--models", torn, "--json");
      expect(code).to.equal(2);
      expect(JSON.parse(err)).to.have.nested.include({ "error.code": "MODEL_CARD" });
    });
  });

  it("refuses a folder that was named and has no model, and one that lost its card", async () => {
    const empty = path.join(folder, "empty");
    mkdirSync(empty);
    const single = path.join(models, "early");
    const refused = async (...args: string[]): Promise<unknown> => {
      const { code, out, err } = await tiller("--series", "one-usdc", ...args, "--json");
      expect([code, out]).to.deep.equal([2, ""]);
      const { error } = JSON.parse(err) as { error: { code: string; field: string } };
      return [error.code, error.field];
    };
    for (const named of [empty, path.join(folder, "absent"), single]) {
      expect(await refused("--models", named)).to.deep.equal(["MODEL_MISSING", "--models"]);
    }
    const cardless = path.join(folder, "cardless");
    cpSync(models, cardless, { recursive: true });
    const card = path.join(cardless, "early", "card.json");
    rmSync(card);
    expect(await refused("--models", cardless)).to.deep.equal(["MODEL_MISSING", card]);
    expect((await answer("--series", "one-usdc", "--models", empty, "--model", "ewma")).model).to.equal(null);
  });

  it("says where the checkout's own models are not there", () => {
    expect(modelsOption(undefined).note).to.equal(null);
    const { found, note } = modelsOption(undefined, path.join(folder, "absent"));
    expect(found).to.deep.equal([]);
    expect(note).to.match(/absent has no trained model$/);
  });

  it("prints a table for people", async () => {
    const { out, code } = await tiller("--series", "one-usdc");
    expect(code).to.equal(0);
    expect(out).to.match(/one-usdc +7 d/);
    expect(out).to.contain("model early");
  });

  it("refuses what it cannot score, naming the option", async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, err, out } = await tiller(...args, "--json");
      expect(out).to.equal("");
      const { error } = JSON.parse(err) as { error: { code: string; field: string } };
      return `${code} ${error.code} ${error.field}`;
    };
    expect(await refused()).to.equal("2 OPTION_MISSING --series");
    expect(await refused("--series", "absent")).to.equal("2 BACKTEST_SERIES --series");
    expect(await refused("--series", "one-usdc", "--to", "2023-01-01")).to.equal("2 EVALUATION_SPAN --to");
    expect(await refused("--series", "one-usdc", "--to", "soon")).to.equal("2 OPTION_MALFORMED --to");
    expect(await refused("--series", "one-usdc", "--model", "nobody")).to.equal("2 MODEL_UNKNOWN --model");
    truncateSync(path.join(models, "late", "model.onnx"), 100);
    expect(await refused("--series", "one-usdc", "--model", "late")).to.match(/^2 MODEL_HASH .*model\.onnx$/);
  });
});
