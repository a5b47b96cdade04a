// The models that are in the checkout, by the genuine runtime: each answers as where it was trained, what they foretell of a reserve
// that fills up, and every way in which one is refused or not asked.
import { expect } from "chai";
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { LiveForecasts } from "../../../keeper/forecast/liveForecasts";
import { isCard, MODELS_FOLDER, modelsIn } from "../../../keeper/forecast/modelFolder";
import { loadModel } from "../../../keeper/forecast/onnxModel";
import type { Outlook } from "../../../keeper/forecast/outlook";
import { classOf, loadRiskModel, RISK_FOLDER, riskFolders, type RiskModel } from "../../../keeper/forecast/riskModel";
import type { HistoryRow } from "../../../keeper/store/historyRecords";
import { copiedModel, refusalOf } from "./copiedModel";

const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const HOURS = 24 * 14;
const NOW = BEGIN + HOURS * HOUR;
const ILLIQUID = "risk-exit-illiquidity-24h-served";

/** A reserve of a billion with so much of it lent out at an hour. */
function rowsOf(utilisation: (hour: number) => number | null): HistoryRow[] {
  return Array.from({ length: HOURS }, (_, k) => {
    const used = utilisation(k);
    const at = BEGIN + k * HOUR;
    const apr = used === null ? 0.04 : 0.05 * used ** 2;
    return {
      ...{ observedAt: at - 60, availableAt: at, block: k, blockHash: null, source: "made-up", suppliedUsd: 1e9 },
      ...{
        borrowedUsd: used === null ? null : 1e9 * used,
        supplyApr: apr,
        borrowApr: used === null ? null : apr * 1.2,
      },
      ...{ index: null, flags: 0 },
    };
  });
}

async function outlook(
  series: Readonly<Record<string, (hour: number) => number | null>>,
  models: readonly RiskModel[],
): Promise<readonly Outlook[]> {
  const live = new LiveForecasts(null);
  for (const [name, utilisation] of Object.entries(series)) live.add(name, rowsOf(utilisation));
  return live.outlook(NOW, models);
}

/** Of a venue that was seen for so many hours. */
async function young(hours: number, models: readonly RiskModel[]): Promise<readonly Outlook[]> {
  const live = new LiveForecasts(null);
  live.add("young-usdc", rowsOf((k) => wave(0.5, k)).slice(-hours));
  return live.outlook(NOW, models);
}

const wave = (mean: number, k: number): number => mean + 0.02 * Math.sin(k / 7) + 0.01 * Math.sin(k / 31);

describe("models of risk", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-risk-model-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The checkout's own model, in a folder of its own, with another card. */
  const copied = (change?: (card: Record<string, unknown>) => void): string => copiedModel(folder, ILLIQUID, change);

  it("that are in the checkout answer as where they were trained, and so do those of rates", async () => {
    const folders = readdirSync(MODELS_FOLDER).filter((name) => RISK_FOLDER.test(name));
    expect(folders.length).to.equal(8);
    for (const name of folders) expect((await loadRiskModel(path.join(MODELS_FOLDER, name))).name).to.equal(name);
    const rates = modelsIn(MODELS_FOLDER);
    expect(rates.map(({ name }) => name)).to.deep.equal(["evaluation-2024h2", "served"]);
    for (const { folder: place, card } of rates)
      expect((await loadModel(place)).card).to.deep.equal(isCard(card) && card);
  });

  it("are served where their card says so, and found where it cannot be read", () => {
    const events = ["apr-collapse-7d", "depeg-24h", "exit-illiquidity-24h", "exit-illiquidity-7d"];
    const named = (models: string): string[] => riskFolders(models).map((one) => path.basename(one.folder));
    expect(named(MODELS_FOLDER)).to.deep.equal(events.map((event) => `risk-${event}-served`));
    const place = copied();
    rmSync(path.join(place, "card.json"));
    expect(riskFolders(folder)).to.deep.equal([{ folder: place, hash: null }]);
    expect(riskFolders(path.join(folder, "none"))).to.deep.equal([]);
  });

  it("foretell more of a reserve that is nearly full than of one that is half empty", async () => {
    const models = await Promise.all(riskFolders(MODELS_FOLDER).map((one) => loadRiskModel(one.folder)));
    const found = await outlook({ "half-usdc": (k) => wave(0.5, k), "full-usdc": (k) => wave(0.92, k) }, models);
    const of = (series: string, event: string): Outlook => {
      const one = found.find((each) => each.series === series && each.event === event);
      if (one === undefined) throw new Error(`nothing of ${series} ${event}`);
      return one;
    };
    expect(found.length).to.equal(6);
    for (const event of ["exit-illiquidity-24h", "exit-illiquidity-7d"]) {
      const [half, full] = [of("half-usdc", event), of("full-usdc", event)];
      expect(half.note, event).to.equal(null);
      expect(half.probability, event).to.be.within(0, 0.05);
      expect(full.probability, event).to.be.above(2 * (half.probability ?? 1));
      expect(full.class).to.equal(classOf(full.probability ?? 0, [0.01, 0.05]));
      expect(half.hash).to.match(/^[0-9a-f]{64}$/);
    }
    expect(of("half-usdc", "apr-collapse-7d").probability).to.be.within(0, 1);
  });

  it("are not asked about what is there already, nor about what nothing is known of", async () => {
    const model = await loadRiskModel(copied());
    const [full, unknown, silent] = await outlook(
      { "full-usdc": (k) => (k > HOURS - 3 ? 0.97 : 0.8), "savings-usds": () => null },
      [model],
    );
    expect(full).to.include({ probability: null, class: "high", note: "it is so already" });
    expect(unknown).to.include({ probability: null, class: null });
    expect(unknown?.note).to.match(/not known of this venue/);
    expect(silent).to.equal(undefined);
  });

  it("are not asked about a venue that pays without lending, nor about one that was seen for less than a day", async () => {
    const models = await Promise.all(riskFolders(MODELS_FOLDER).map((one) => loadRiskModel(one.folder)));
    const savings = await outlook({ "savings-usds": () => null }, models);
    expect(savings.map(({ class: level }) => level)).to.deep.equal([null, null, null]);
    for (const { event, note } of savings) expect(note, event).to.match(/not known of this venue/);
    for (const { probability, note } of await young(20, models)) {
      expect(probability).to.equal(null);
      expect(note).to.equal("too little of it is known yet");
    }
  });

  it("are asked from the end of a venue's second day on, though nothing is known of the week before", async () => {
    const models = await Promise.all(riskFolders(MODELS_FOLDER).map((one) => loadRiskModel(one.folder)));
    for (const hours of [49, 72, 120, 200]) {
      const found = await young(hours, models);
      expect(found.length).to.equal(3);
      for (const { event, probability, note } of found) {
        expect(note, `${event} after ${hours} h`).to.equal(null);
        expect(probability).to.be.within(0, 1);
      }
    }
    expect((await young(40, models)).map(({ note }) => note)).to.deep.equal(
      Array(3).fill("too little of it is known yet"),
    );
  });

  it("are not asked where a week of inputs is unlike what they were trained on", async () => {
    const place = copied((card) => {
      const narrow = { mean: 0, sd: 1, p01: 40, p50: 50, p99: 60, nanShare: 0 };
      const stats = card["featureStats"] as Record<string, unknown>;
      card["featureStats"] = Object.fromEntries(Object.keys(stats).map((name) => [name, narrow]));
    });
    const [one] = await outlook({ "half-usdc": (k) => wave(0.5, k) }, [await loadRiskModel(place)]);
    expect(one).to.include({ probability: null, class: null });
    expect(one?.note).to.match(/unusual where it was trained/);
  });

  it("are refused where their file or card is not what it should be", async () => {
    expect(await refusalOf(copied())).to.equal("served");
    const spoilt = copied();
    appendFileSync(path.join(spoilt, "model.onnx"), "x");
    expect(await refusalOf(spoilt)).to.equal("MODEL_HASH");
    rmSync(path.join(spoilt, "model.onnx"));
    expect(await refusalOf(spoilt)).to.equal("MODEL_MISSING");
    expect(await refusalOf(copied((card) => (card["featureVersion"] = 0)))).to.equal("MODEL_FEATURES");
    expect(await refusalOf(copied((card) => delete card["event"]))).to.equal("MODEL_CARD");
    const event = { name: "tvl-flight-7d", horizonHours: 168, classes: [0.01, 0.05], prevalence: 0.1 };
    expect(await refusalOf(copied((card) => (card["event"] = event)))).to.equal("MODEL_EVENT");
    const backwards = { ...event, name: "exit-illiquidity-7d", classes: [0.05, 0.01] };
    expect(await refusalOf(copied((card) => (card["event"] = backwards)))).to.equal("MODEL_CARD");
    const rates = path.join(MODELS_FOLDER, "served");
    expect(await refusalOf(rates)).to.equal("MODEL_CARD");
  });

  it("have classes by the card's bounds, each of which belongs to the class above", () => {
    const classes = [0.009, 0.01, 0.049, 0.05, 1].map((p) => classOf(p, [0.01, 0.05]));
    expect(classes).to.deep.equal(["low", "medium", "medium", "high", "high"]);
  });
});
