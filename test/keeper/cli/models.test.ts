// `tiller models …` as a process on a database of its own: what a person sees and may do.
import { expect } from "chai";
import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { silent } from "../../../keeper/events/events";
import { MODELS_FOLDER } from "../../../keeper/forecast/modelFolder";
import { openStore } from "../../../keeper/store/open";
import { cardOfModel, writeModel, type LinearModel } from "../forecast/onnxFixture";
import { startTiller, type Ended } from "./tillerProcess";

const HOUR = 3_600;
const BEGIN = 1_700_002_800;
const [OLD, NEW]: [LinearModel, LinearModel] = [{ bias: 0.001 }, { bias: 0.002 }];
const SERVES = { servedHorizonsHours: [24], trainWindow: { from: 0, to: BEGIN } };

describe("tiller models", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tiller-models-"));
    const models = path.join(folder, "models");
    const config = { dataDir: path.join(folder, "state"), forecast: { models } };
    writeFileSync(path.join(folder, "tiller.config.json"), JSON.stringify(config));
    writeModel(models, OLD, { name: "old", ...SERVES });
    writeModel(models, NEW, { name: "new", ...SERVES, trainWindow: { from: 0, to: BEGIN - 1 } });
    writeModel(models, { bias: 0.5 }, { name: "frozen", role: "evaluation" });
    writeFileSync(path.join(writeModel(models, { bias: 9 }, { name: "broken" }), "card.json"), "{");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const tiller = (...args: string[]): Promise<Ended> => startTiller(folder, ["models", ...args, "--json"]).ended;
  async function answer<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await tiller(...args);
    expect(err).to.equal("");
    expect(code).to.equal(0);
    return JSON.parse(out) as T;
  }
  async function refusal(...args: string[]): Promise<string> {
    const { code, err } = await tiller(...args);
    const { error } = JSON.parse(err) as { error: { code: string; message: string } };
    return `${code} ${error.code} ${error.message}`;
  }
  const list = async (): Promise<string[]> => {
    const { models } = await answer<{ models: { name: string; status: string }[] }>("list");
    return models.map(({ name, status }) => `${name} ${status}`);
  };

  it("lists what the folder has before anything was served, and says which card cannot be read", async () => {
    expect(await list()).to.have.members(["old unknown", "new unknown", "frozen evaluation", "broken broken"]);
    const { out } = await startTiller(folder, ["models", "list"]).ended;
    expect(out).to.match(/broken +broken +is not JSON/);
  });

  it("lists and shows the models of events beside them", async () => {
    const [name, other] = ["risk-apr-collapse-7d-served", "risk-exit-illiquidity-7d"] as const;
    for (const one of [name, other]) {
      cpSync(path.join(MODELS_FOLDER, one), path.join(folder, "models", one), { recursive: true });
    }
    truncateSync(path.join(folder, "models", other, "card.json"), 50);
    const { eventModels } = await answer<{ eventModels: { name: string; status: string }[] }>("list");
    expect(eventModels.map((one) => `${one.name} ${one.status}`)).to.deep.equal([`${name} served`, `${other} broken`]);
    expect(await answer("show", name)).to.have.nested.include({ "card.event.name": "apr-collapse-7d" });
    const shown = await startTiller(folder, ["models", "show", name]).ended;
    expect(shown.out).to.match(/foretells apr-collapse-7d: Medium from 1 %, High from 5 %; it came after \d\.\d\d % /);
    const listed = await startTiller(folder, ["models", "list"]).ended;
    expect(listed.out).to.match(/risk-exit-illiquidity-7d +broken +is not JSON/);
    expect(await refusal("promote", name)).to.match(/^2 MODEL_UNKNOWN/);
  });

  it("refuses to promote without a fortnight in the shadow, and serves the newest meanwhile", async () => {
    expect(await refusal("promote", "new")).to.match(/^2 MODEL_NOT_BETTER 0 hours are known at 24 h/);
    expect(await list()).to.include.members(["old champion", "new challenger"]);
    expect(await refusal("promote", "nobody")).to.match(/^2 MODEL_UNKNOWN/);
    expect(await refusal("promote", "broken")).to.match(/^2 MODEL_NOT_CHALLENGER/);
  });

  it("shows the shadow's score, promotes one that was nearer, and rolls back in one command", async () => {
    const store = await openStore({ dataDir: path.join(folder, "state"), sink: silent });
    const rows = Array.from({ length: 500 }, (_, k) => k).flatMap((k) =>
      [OLD, NEW].map((model) => ({
        ...{
          chainId: 1,
          series: "a-usdc",
          horizonHours: 24,
          madeAt: BEGIN + k * HOUR,
          served: model === OLD,
          live: true,
        },
        ...{ modelHash: cardOfModel(model).sha256, low: 0, high: 0.2, baseline: 0.05 },
        point: 0.05 + (model === OLD ? 0.01 : 0.002) * (1 + (k % 7)),
      })),
    );
    await store.models.addForecasts(rows);
    await store.models.comeTrue(rows.map((row) => ({ ...row, came: 0.05 })));
    await store.close();

    const { shadow } = await answer<{ shadow: { promote: boolean; scores: { hours: number }[] } }>("show", "new");
    expect(shadow.promote).to.equal(true);
    expect(shadow.scores[0]?.hours).to.equal(500);
    const { served } = await answer<{ served: string }>("promote", "new");
    expect(served).to.equal("new");
    expect(await list()).to.include.members(["new champion", "old retired"]);
    expect(await answer("rollback", "--reason", "it looked odd")).to.deep.equal({ from: "new", to: "old" });
    const { changes } = await answer<{ changes: { kind: string; reason: string }[] }>("list");
    expect(changes.map(({ kind }) => kind)).to.deep.equal(["rolled-back", "promoted", "shipped"]);
    expect(changes[0]?.reason).to.equal("it looked odd");
    const { out } = await startTiller(folder, ["models", "show", "old"]).ended;
    expect(out).to.match(/^old: champion, linear, trained on 1970-01-01 to 2023-11-14/);
  });
});
