// What the model of depegs in the checkout foretells of prices, by the genuine runtime, and every way in which it is not asked or refused.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FEATURES, FEATURE_VERSION } from "../../../keeper/forecast/features";
import { LiveForecasts } from "../../../keeper/forecast/liveForecasts";
import { pegOutlooks } from "../../../keeper/forecast/livePegs";
import { MODELS_FOLDER } from "../../../keeper/forecast/modelFolder";
import type { Outlook } from "../../../keeper/forecast/outlook";
import { PEG_FEATURE_VERSION, PegColumns } from "../../../keeper/forecast/pegFeatures";
import { isOfLender, loadRiskModel, riskFolders, type RiskModel } from "../../../keeper/forecast/riskModel";
import { copiedModel, refusalOf } from "./copiedModel";

const DEPEG = "risk-depeg-24h-served";
const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const HOURS = 24 * 14;
const NOW = BEGIN + HOURS * HOUR + 40 * 60;

/** A price by the tick of each hour, read every twenty minutes. */
function pairOf(tick: (hour: number) => number | null): PegColumns {
  const pair = new PegColumns([6, 6]);
  for (let k = 0; k <= HOURS * 3; k += 1) {
    const [at, now] = [BEGIN + k * 20 * 60, tick(Math.floor(k / 3))];
    if (now === null) continue;
    pair.add([{ observedAt: at - 4, availableAt: at, tick: now, liquidity: 4e17 * (1 + (k % 3) / 10) }]);
  }
  return pair;
}

const calm = (hour: number): number => Math.round(1.5 * Math.sin(hour / 9) + Math.sin(hour / 2.3));

describe("models of depegs", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-depeg-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The checkout's own, in a folder of its own, with another card. */
  const copied = (change?: (card: Record<string, unknown>) => void): string => copiedModel(folder, DEPEG, change);
  const foretold = async (pair: PegColumns, models?: readonly RiskModel[], at = NOW): Promise<readonly Outlook[]> =>
    pegOutlooks(new Map([["a-pool", pair]]), at, models ?? [await loadRiskModel(copied())]);

  it("foretell more of a price that is nearly off than of one at its peg, beside how often it happens", async () => {
    const [near] = await foretold(pairOf(calm));
    expect(near).to.include({ series: "a-pool", event: "depeg-24h", horizonHours: 24, class: "low", note: null });
    expect(near?.probability).to.be.within(0, 0.01);
    expect(near?.usual).to.be.within(0.01, 0.2);
    expect(near?.hash).to.match(/^[0-9a-f]{64}$/);
    for (const sign of [1, -1]) {
      const [off] = await foretold(pairOf((hour) => calm(hour) + (hour >= HOURS ? sign * 13 : 0)));
      expect(off, String(sign)).to.include({ class: "high", note: null });
      expect(off?.probability, String(sign)).to.be.above(0.1);
    }
  });

  it("are not asked about a price that is off already, by the newest state, nor about one that was not heard of for a day", async () => {
    const [there] = await foretold(pairOf((hour) => (hour >= HOURS ? 16 : calm(hour))));
    expect(there).to.include({ probability: null, class: "high", note: "it is so already" });
    const until = (silence: number): PegColumns => pairOf((hour) => (hour > HOURS - silence ? null : calm(hour)));
    const [heard] = await foretold(until(22));
    expect(heard?.note).to.equal(null);
    const [silent] = await foretold(until(26));
    expect(silent).to.include({ probability: null, class: null });
    expect(silent?.note).to.match(/not known of this venue/);
    expect(await foretold(pairOf(() => null))).to.deep.equal([]);
  });

  it("are not asked where less than a day is known, nor where a week is unlike what they were trained on", async () => {
    const [young] = await foretold(pairOf((hour) => (hour < HOURS - 20 ? null : calm(hour))));
    expect(young).to.include({ probability: null, class: null, note: "too little of it is known yet" });
    const [wild] = await foretold(pairOf((hour) => (hour > HOURS - 30 ? calm(hour) : 300 * (hour % 7))));
    expect(wild).to.include({ probability: null, class: null });
    expect(wild?.note).to.match(/unusual where it was trained/);
    const [lately] = await foretold(
      pairOf((hour) => (hour < HOURS - 60 || hour > HOURS - 8 ? calm(hour) : 40 * (hour % 3))),
    );
    expect(lately?.note).to.match(/^[23]\d % of what it is asked was unusual/);
  });

  it("know nothing of states that became known later", async () => {
    const pair = pairOf(calm);
    const [before] = await foretold(pair);
    pair.add([{ observedAt: NOW, availableAt: NOW + 1, tick: 400, liquidity: 1 }]);
    const [after] = await foretold(pair);
    expect(after).to.deep.equal(before);
    const [later] = await foretold(pair, undefined, NOW + 1);
    expect(later?.note).to.equal("it is so already");
  });

  it("are asked about prices alone, and those of lenders about lenders alone", async () => {
    const models = await Promise.all(riskFolders(MODELS_FOLDER).map((one) => loadRiskModel(one.folder)));
    expect(models.filter(isOfLender).length).to.equal(models.length - 1);
    expect((await foretold(pairOf(calm), models)).map(({ event }) => event)).to.deep.equal(["depeg-24h"]);
    const live = new LiveForecasts(null);
    live.add("aave-usdc", [
      {
        ...{ observedAt: NOW - 60, availableAt: NOW - 60, block: 1, blockHash: null, source: "made-up" },
        ...{ suppliedUsd: 1e9, borrowedUsd: 8e8, supplyApr: 0.04, borrowApr: 0.05, index: null, flags: 0 },
      },
    ]);
    expect((await live.outlook(NOW, models)).map(({ event }) => event)).not.to.include("depeg-24h");
    expect((await live.outlook(NOW, models)).length).to.equal(models.length - 1);
  });

  it("are refused where they are of other features than those of prices", async () => {
    expect(await refusalOf(copied())).to.equal("served");
    expect(await refusalOf(copied((card) => (card["featureVersion"] = PEG_FEATURE_VERSION + 1)))).to.equal(
      "MODEL_FEATURES",
    );
    const features = FEATURES.slice(0, 27).map(({ name, unit }) => ({ name, unit }));
    const ofRates = { featureVersion: FEATURE_VERSION, features };
    expect(await refusalOf(copied((card) => Object.assign(card, ofRates)))).to.equal("MODEL_FEATURES");
    const event = { name: "exit-illiquidity-24h", horizonHours: 24, classes: [0.01, 0.05], prevalence: 0.1 };
    expect(await refusalOf(copied((card) => (card["event"] = event)))).to.equal("MODEL_FEATURES");
    const other = { ...event, name: "depeg-25bps-24h" };
    expect(await refusalOf(copied((card) => (card["event"] = other)))).to.equal("MODEL_EVENT");
  });
});
