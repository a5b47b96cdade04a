// The whole keeper on the local chain with a trained model: what it decides names the model, its file, the forecast and the bounds,
// and the record replays byte for byte.
import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { assemble } from "../../../keeper/app/assemble";
import { loadConfig } from "../../../keeper/config/load";
import { decide } from "../../../keeper/decide/decide";
import { replay } from "../../../keeper/decide/record";
import { silent, type KeeperEvent } from "../../../keeper/events/events";
import { openStore } from "../../../keeper/store/open";
import { startLocalVenues, type LocalVenues } from "../collect/localVenues";
import { cardOfModel, writeModel, type LinearModel } from "../forecast/onnxFixture";

const HOUR = 3_600;
const DAYS = 3;
const MODEL: LinearModel = { bias: 0.003, scale: 0.002 };

describe("a decision on the local chain", function () {
  this.timeout(180_000);
  let local: LocalVenues;
  let folder: string;
  before(async () => {
    local = await startLocalVenues();
    folder = mkdtempSync(path.join(tmpdir(), "tiller-served-"));
  });
  after(async () => {
    await local.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it("rests on the model, and says so", async () => {
    const { addresses } = local.genesis;
    const addressFile = path.join(folder, "addresses.json");
    writeFileSync(addressFile, JSON.stringify(addresses));
    writeModel(path.join(folder, "models"), MODEL, { name: "local", servedHorizonsHours: [24, 168] });
    const config = loadConfig({
      ...{ env: { RPC_URL: local.url }, cwd: folder },
      overrides: {
        ...{ dataDir: path.join(folder, "state"), addresses: addressFile },
        forecast: { models: path.join(folder, "models") },
        risk: { breaker: { oracleSeconds: 0 } },
      },
    });
    const head = await local.head();
    const store = await openStore({ dataDir: config.dataDir, sink: silent });
    const begin = Math.floor(head.timestamp / HOUR) * HOUR - DAYS * 24 * HOUR;
    for (const { id: name } of addresses.adapters) {
      const rows = Array.from({ length: DAYS * 24 }, (_, k) => ({
        ...{ observedAt: begin + k * HOUR - 60, availableAt: begin + k * HOUR, block: 0, blockHash: null },
        ...{ source: "made-up", suppliedUsd: 1e8, borrowedUsd: 7e7, supplyApr: 0.04 + 0.001 * (k % 5) },
        ...{ borrowApr: 0.05, index: null, flags: 0 },
      }));
      await store.history.addHistory({ chainId: addresses.chainId, name }, rows);
    }
    await store.models.register({
      ...{ hash: cardOfModel(MODEL).sha256, name: "local" },
      card: JSON.stringify(cardOfModel(MODEL, { name: "local", servedHorizonsHours: [24, 168] })),
    });
    await store.models.serve(cardOfModel(MODEL).sha256, { kind: "promoted", reason: "a test", scores: null });
    await store.close();

    const events: KeeperEvent[] = [];
    const { keeper, close } = await assemble(config, {
      ...{ env: {}, dryRun: true },
      sink: { emit: (event) => void events.push(event) },
    });
    try {
      const { outcome } = await keeper.tick(head);
      if (outcome.action === "busy") throw new Error("a dry run waits for nothing");
      const { json, hash } = outcome.decision;
      const record = JSON.parse(json) as {
        forecasts: { venue: string; model: string; apr: number; trained: object }[];
      };
      const served = record.forecasts.filter(({ model }) => model === "local");
      expect(served.length, JSON.stringify(events.filter(({ name }) => name.startsWith("model.")))).to.be.above(0);
      for (const { apr, trained } of served) {
        expect(trained).to.include({ hash: cardOfModel(MODEL).sha256, horizonHours: 168 });
        const { low, high } = trained as { low: number; high: number };
        expect(apr).to.be.within(low, high);
      }
      expect(replay(json, hash, decide).recomputed.json).to.equal(json);
      expect(events.filter(({ name }) => name === "model.served").length).to.equal(1);
    } finally {
      await close();
    }
  });
});
