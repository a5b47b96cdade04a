// `tiller forecast evaluate` as a process: the fixed shape, series of any name, models of a folder, what is refused.
import { expect } from "chai";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
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
    readonly model: { readonly name: string; readonly hash: string } | null;
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
