// A model's folder, read by the genuine runtime: what is served, and every way in which it is refused.
import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Failure } from "../../../keeper/config/failure";
import type { Card } from "../../../keeper/forecast/card";
import { FEATURES, HORIZONS } from "../../../keeper/forecast/features";
import { loadModel } from "../../../keeper/forecast/onnxModel";
import { opsetsOf } from "../../../keeper/forecast/opset";
import { columnOf, forecastRows, servedBy } from "../../../keeper/forecast/served";
import { cardOfModel, goldenOf, linearOnnx, writeModel, type LinearModel } from "./onnxFixture";

const MODEL: LinearModel = { weights: { apr: 0.5, ewma_24h: -0.5, spread_mean: 0.1 }, bias: 0.001, scale: 0.004 };

/** Rows of features that are all `fill` but for those named. */
function rowsOf(rows: readonly Readonly<Record<string, number>>[], fill = 0): Float64Array {
  const features = new Float64Array(rows.length * FEATURES.length).fill(fill);
  rows.forEach((row, k) => {
    for (const [name, value] of Object.entries(row)) features[k * FEATURES.length + columnOf(name)] = value;
  });
  return features;
}

describe("a trained model", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-model-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const refusal = async (place: string): Promise<string> => {
    try {
      await loadModel(place);
    } catch (error) {
      const { code, field, remedy } = error as Failure;
      expect(remedy).to.match(/EWMA is served|npm ci/);
      return `${code} ${path.basename(field ?? "")}`;
    }
    return "served";
  };
  /** The folder with one file replaced. */
  const altered = (name: string, content: Buffer | string, model = MODEL, over: Partial<Card> = {}): string => {
    const place = writeModel(folder, model, over);
    writeFileSync(path.join(place, name), content);
    return place;
  };

  it("corrects the mean of late at the horizons that its card names, for all rows at once", async () => {
    const model = await loadModel(writeModel(folder, MODEL));
    expect(model.name).to.equal("linear");
    expect(servedBy(model)).to.deep.equal(["persistence", "persistence", "linear", "linear"]);
    const features = rowsOf([
      { apr: 0.08, ewma_24h: 0.04 },
      { apr: 0.02, ewma_24h: 0.06, spread_mean: NaN },
    ]);
    const { point, scale, byModel, refused } = await forecastRows(features, model);
    // 0.04 + 0.5 · (0.08 − 0.04) + 0.001, and 0.06 + 0.5 · (0.02 − 0.06) + 0.001.
    const expected = [0.08, 0.08, 0.061, 0.061, 0.02, 0.02, 0.041, 0.041];
    expected.forEach((value, k) => expect(point[k], `cell ${k}`).to.be.closeTo(value, 1e-7));
    expect([...byModel]).to.deep.equal([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(scale[2]).to.be.closeTo(0.004, 1e-8);
    expect(refused).to.equal(0);
  });

  it("may take some of the features, and have horizons in an order of its own", async () => {
    const features = ["apr", "ewma_24h"];
    const horizonsHours = [168, 24, 4, 1];
    const place = writeModel(folder, { ...MODEL, features }, { horizonsHours, servedHorizonsHours: [24] });
    const model = await loadModel(place);
    expect(model.serves).to.deep.equal([false, false, true, false]);
    const { point } = await forecastRows(rowsOf([{ apr: 0.08, ewma_24h: 0.04 }]), model);
    expect(point[2]).to.be.closeTo(0.061, 1e-7);
  });

  it("is stood in for by the baseline, row by row, where in or out is no number", async () => {
    const model = await loadModel(writeModel(folder, { weights: { supplied: 1e30 }, bias: 0.001, scale: 0.004 }));
    const { point, byModel, refused } = await forecastRows(
      rowsOf([
        { apr: 0.08, ewma_24h: 0.04 },
        { apr: 0.08, ewma_24h: 0.04, supplied: 1e30 },
        { apr: 0.08, ewma_24h: 0.04, cash: -Infinity },
      ]),
      model,
    );
    expect(refused).to.equal(2);
    expect([...byModel].filter((_, k) => k % 4 === 2)).to.deep.equal([1, 0, 0]);
    expect([point[6], point[10]]).to.deep.equal([0.04, 0.04]);
  });

  it("is not believed about a row without a rate, or with what overflowed, whatever it answers", async () => {
    const model = await loadModel(writeModel(folder, { features: ["apr", "ewma_24h"], bias: 0.001 }));
    const { byModel, refused } = await forecastRows(
      rowsOf([
        { apr: 0.08, ewma_24h: 0.04, cash: NaN },
        { apr: 0.08, ewma_24h: 0.04, cash: Infinity },
        { apr: NaN, ewma_24h: 0.04 },
      ]),
      model,
    );
    expect([...byModel].filter((_, k) => k % 4 === 2)).to.deep.equal([1, 0, 0]);
    expect(refused).to.equal(2);
  });

  it("never forecasts a rate below zero, and its width is above it", async () => {
    const below = await loadModel(writeModel(folder, { bias: -1 }, { name: "below" }));
    expect((await forecastRows(rowsOf([{ apr: 0.01, ewma_24h: 0.01 }]), below)).point[2]).to.equal(0);
    const flat = await loadModel(writeModel(folder, { bias: 0.001, scale: -0.1 }, { name: "flat" }));
    const { point, refused } = await forecastRows(rowsOf([{ apr: 0.01, ewma_24h: 0.01 }]), flat);
    expect([point[2], refused]).to.deep.equal([0.01, 1]);
  });

  it("is refused where a file is missing", async () => {
    expect(await refusal(path.join(folder, "nowhere"))).to.equal("MODEL_MISSING card.json");
    for (const name of ["model.onnx", "card.json", "golden.json.gz"]) {
      const place = writeModel(folder, MODEL);
      unlinkSync(path.join(place, name));
      expect(await refusal(place)).to.equal(`MODEL_MISSING ${name}`);
    }
  });

  it("is refused where one byte of it is another", async () => {
    const bytes = linearOnnx(MODEL);
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
    expect(await refusal(altered("model.onnx", bytes))).to.equal("MODEL_HASH model.onnx");
  });

  it("is refused where its card is none, or of another format", async () => {
    expect(await refusal(altered("card.json", "{"))).to.equal("MODEL_CARD card.json");
    const { trainWindow: _, ...lacking } = cardOfModel(MODEL);
    expect(await refusal(altered("card.json", JSON.stringify(lacking)))).to.equal("MODEL_CARD card.json");
    const newer = { ...cardOfModel(MODEL), format: "tiller-model/2" };
    expect(await refusal(altered("card.json", JSON.stringify(newer)))).to.equal("MODEL_CARD card.json");
  });

  it("is refused where its features are not ours: version, name, unit, order", async () => {
    const card = cardOfModel(MODEL);
    const [first, ...others] = card.features;
    const wrong: Partial<Card>[] = [
      { featureVersion: card.featureVersion + 1 },
      { features: [{ name: "moon_phase", unit: "1" }, ...others] },
      { features: [{ name: first?.name ?? "", unit: "percent" }, ...others] },
      { features: [card.features[1], card.features[0], ...card.features.slice(2)] as Card["features"] },
      { features: [...card.features.slice(0, -1), card.features[0]] as Card["features"] },
    ];
    for (const over of wrong) {
      const place = altered("card.json", JSON.stringify({ ...card, ...over }));
      expect(await refusal(place), JSON.stringify(over).slice(0, 60)).to.equal("MODEL_FEATURES card.json");
    }
  });

  it("is refused for another opset than its card's, and for one that is too new", async () => {
    expect(opsetsOf(linearOnnx({ opset: 17 }))?.get("")).to.equal(17);
    expect(opsetsOf(Buffer.from("no model at all"))).to.equal(null);
    expect(await refusal(writeModel(folder, { ...MODEL, opset: 18 }, { opset: 17 }))).to.equal(
      "MODEL_OPSET model.onnx",
    );
    expect(await refusal(writeModel(folder, { ...MODEL, opset: 21 }))).to.equal("MODEL_OPSET model.onnx");
  });

  it("is refused where the runtime cannot read it, or it has other outputs, or takes windows", async () => {
    const whole = linearOnnx(MODEL);
    const graphless = whole.subarray(0, 6);
    const { createHash } = await import("node:crypto");
    const sha256 = createHash("sha256").update(graphless).digest("hex");
    const place = altered("model.onnx", graphless, MODEL, { sha256 });
    expect(await refusal(place)).to.match(/^MODEL_(RUNTIME|OPSET) model.onnx$/);
    const renamed = writeModel(folder, { ...MODEL, outputs: ["deviation", "width"] }, { name: "renamed" });
    expect(await refusal(renamed)).to.equal("MODEL_INPUT model.onnx");
    const input = { kind: "window", steps: 24, stepSeconds: 3_600 } as const;
    expect(await refusal(writeModel(folder, MODEL, { name: "windows", input }))).to.equal("MODEL_INPUT card.json");
    expect(await refusal(writeModel(folder, MODEL, { name: "monthly", horizonsHours: [720] }))).to.equal(
      "MODEL_HORIZONS card.json",
    );
  });

  it("is refused where it does not answer as where it was trained", async () => {
    interface Golden {
      inputs: { features: (number | null)[][] };
      outputs: { deviation: (number | null)[][]; scale: number[][] };
    }
    const change = async (alter: (golden: Golden) => void): Promise<string> => {
      const golden = structuredClone(goldenOf(MODEL)) as Golden;
      alter(golden);
      return refusal(altered("golden.json.gz", gzipSync(JSON.stringify(golden))));
    };
    expect(await change(() => undefined)).to.equal("served");
    const refused = "MODEL_GOLDEN golden.json.gz";
    // Twice the tolerance of the last row's last answer.
    const nudge = (rows: (number | null)[][]): void => {
      const row = rows.at(-1) as number[];
      const last = row[HORIZONS.length - 1] as number;
      row[HORIZONS.length - 1] = last + 2e-5 * Math.max(1e-3, Math.abs(last));
    };
    expect(await change(({ outputs }) => nudge(outputs.deviation))).to.equal(refused);
    expect(await change(({ outputs }) => nudge(outputs.scale))).to.equal(refused);
    expect(await change(({ outputs }) => void ((outputs.deviation[0] as (number | null)[])[0] = null))).to.equal(
      refused,
    );
    expect(await change(({ inputs }) => void inputs.features.pop())).to.equal(refused);
    expect(await change(({ inputs }) => void (inputs.features[0] as number[]).pop())).to.equal(refused);
    expect(await change(({ outputs }) => void outputs.scale.pop())).to.equal(refused);
    expect(await refusal(altered("golden.json.gz", "not packed"))).to.equal(refused);
  });

  it("writes nothing of its files into a message", async () => {
    const place = altered("card.json", "secret-looking text");
    try {
      await loadModel(place);
      expect.fail("it was served");
    } catch (error) {
      expect((error as Failure).line()).not.to.contain("secret");
    }
    expect(readFileSync(path.join(place, "card.json")).toString()).to.equal("secret-looking text");
  });
});
