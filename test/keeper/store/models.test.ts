// Trained models in every PostgreSQL that is here: one is served at most, and what was said is held beside what came.
import { expect } from "chai";
import type { ModelForecastRow } from "../../../keeper/store/modelRecords";
import type { Store } from "../../../keeper/store/records";
import { hash, observationRow, snapshotRow } from "./fixtures/rows";
import { onEveryServer } from "./fixtures/servers";

const [A, B] = ["a".repeat(64), "b".repeat(64)];
const HOUR = 3_600;
const BEGIN = 1_700_002_800;

const row = (over: Partial<ModelForecastRow> = {}): ModelForecastRow => ({
  ...{ chainId: 1, series: "one", horizonHours: 24, madeAt: BEGIN, modelHash: A, served: true, live: true },
  ...{ point: 0.05, low: 0.04, high: 0.06, baseline: 0.045 },
  ...over,
});

onEveryServer("trained models", (open) => {
  let store: Store;
  before(() => {
    store = open();
  });

  it("are registered once, as challengers", async () => {
    expect(await store.models.champion()).to.equal(null);
    expect(await store.models.register({ hash: A, name: "one", card: "{}" })).to.equal(true);
    expect(await store.models.register({ hash: A, name: "other", card: "{}" })).to.equal(false);
    expect(await store.models.register({ hash: B, name: "two", card: "{}" })).to.equal(true);
    const all = await store.models.all();
    expect(all.map(({ hash, name, status }) => [hash, name, status])).to.deep.equal([
      [A, "one", "challenger"],
      [B, "two", "challenger"],
    ]);
  });

  it("are served one at a time, and every change is kept", async () => {
    const change = { kind: "promoted", reason: "better", scores: "[]" } as const;
    expect(await store.models.serve(A, { ...change, kind: "shipped", scores: null })).to.equal(true);
    expect(await store.models.serve(A, change), "it is served already").to.equal(false);
    expect(await store.models.serve(B, change)).to.equal(true);
    expect((await store.models.champion())?.hash).to.equal(B);
    expect((await store.models.all()).map(({ status }) => status)).to.deep.equal(["retired", "champion"]);
    expect(await store.models.serve(null, { ...change, kind: "rolled-back" })).to.equal(true);
    expect(await store.models.champion()).to.equal(null);
    const changes = await store.models.changes(2);
    expect(changes.map(({ kind, hash, previous }) => [kind, hash, previous])).to.deep.equal([
      ["rolled-back", null, B],
      ["promoted", B, A],
    ]);
  });

  it("are served one at a time also when two are served at once", async () => {
    const change = { kind: "promoted", reason: "race", scores: null } as const;
    await Promise.all([A, B, A, B].map((hash) => store.models.serve(hash, change)));
    const champions = (await store.models.all()).filter(({ status }) => status === "champion");
    expect(champions.length).to.equal(1);
    expect((await store.models.changes(1))[0]?.hash).to.equal(champions[0]?.hash);
  });

  it("have what they said beside each other's and what came, once it is known", async () => {
    const rows = [0, 1, 2].flatMap((k) => [
      row({ madeAt: BEGIN + k * HOUR }),
      row({ madeAt: BEGIN + k * HOUR, modelHash: B, served: false, point: 0.07, low: 0, high: 1 }),
    ]);
    await store.models.addForecasts(rows);
    await store.models.addForecasts([row({ point: 9, high: 10 }), row({ series: "two", modelHash: B })]);
    // What was said afterwards is kept, and counts for nothing.
    await store.models.addForecasts(
      [A, B].map((modelHash) => row({ series: "late", modelHash, live: modelHash === A })),
    );
    await store.models.comeTrue([
      { chainId: 1, series: "one", horizonHours: 24, madeAt: BEGIN, came: 0.06 },
      { chainId: 1, series: "late", horizonHours: 24, madeAt: BEGIN, came: 0.06 },
      { chainId: 1, series: "one", horizonHours: 24, madeAt: BEGIN + HOUR, came: 0.08 },
      { chainId: 2, series: "one", horizonHours: 24, madeAt: BEGIN + 2 * HOUR, came: 0.5 },
      { chainId: 1, series: "one", horizonHours: 168, madeAt: BEGIN + 2 * HOUR, came: 0.5 },
    ]);
    const pairs = await store.models.pairs({ challenger: B, champion: A, from: 0 });
    const found = { series: "one", horizonHours: 24, challenger: 0.07, champion: 0.05, low: 0, high: 1 };
    expect(pairs).to.deep.equal([
      { ...found, madeAt: BEGIN, came: 0.06 },
      { ...found, madeAt: BEGIN + HOUR, came: 0.08 },
    ]);
    const late = await store.models.pairs({ challenger: B, champion: null, from: BEGIN + 1 });
    expect(late).to.deep.equal([{ ...found, champion: 0.045, madeAt: BEGIN + HOUR, came: 0.08 }]);
  });

  it("have what decisions rested on: served, said within the hour, not the baseline", async () => {
    const of = { chainId: 1, series: "served", horizonHours: 24 };
    const at = (k: number, change: object = {}) => row({ series: "served", madeAt: BEGIN + k * HOUR, ...change });
    await store.models.addForecasts([
      ...[at(2), at(1), at(0)],
      at(3, { live: false }),
      at(4, { point: 0.045 }),
      at(5, { served: false, modelHash: B }),
      ...[at(6, { chainId: 2 }), at(6, { horizonHours: 168 }), at(6, { series: "other" })],
    ]);
    expect(await store.models.served({ ...of, from: BEGIN + HOUR })).to.deep.equal([
      { madeAt: BEGIN + HOUR, point: 0.05 },
      { madeAt: BEGIN + 2 * HOUR, point: 0.05 },
    ]);
  });

  it("keep what was said for 400 days and what was learnt for 60, and who was served for good", async () => {
    const of = { chainId: 1, series: "kept", horizonHours: 24 };
    const [first, second] = [row({ series: "kept" }), row({ series: "kept", madeAt: BEGIN + HOUR })];
    await store.models.addForecasts([first, second]);
    const states = ["long ago", "of late"].map((series, k) => ({
      chainId: 1,
      series,
      modelHash: A,
      at: BEGIN + k * HOUR,
    }));
    await store.models.saveStates(states.map((key) => ({ ...key, state: "[]" })));
    await store.models.prune(BEGIN + 60 * 86_400);
    expect(await store.models.state(states[0] as (typeof states)[number])).to.equal("[]");
    await store.models.prune(BEGIN + 60 * 86_400 + 1);
    expect(await store.models.state(states[0] as (typeof states)[number])).to.equal(null);
    expect(await store.models.state(states[1] as (typeof states)[number])).to.equal("[]");
    const told = async (): Promise<number[]> =>
      (await store.models.served({ ...of, from: 0 })).map(({ madeAt }) => madeAt);
    expect(await told()).to.deep.equal([BEGIN, BEGIN + HOUR]);
    const before = await store.models.changes(10);
    expect(await store.models.prune(BEGIN + 400 * 86_400 + 1)).to.be.above(0);
    expect(await told()).to.deep.equal([BEGIN + HOUR]);
    expect(await store.models.changes(10)).to.deep.equal(before);
  });

  it("keep the newest state of each series and model", async () => {
    const key = { chainId: 1, series: "one", modelHash: "" };
    expect(await store.models.state(key)).to.equal(null);
    await store.models.saveStates([{ ...key, state: "[1]", at: BEGIN + HOUR }]);
    await store.models.saveStates([{ ...key, state: "[0]", at: BEGIN }]);
    expect(await store.models.state(key)).to.equal("[1]");
    await store.models.saveStates([{ ...key, state: "[2]", at: BEGIN + 2 * HOUR }]);
    expect(await store.models.state(key)).to.equal("[2]");
    expect(await store.models.state({ ...key, modelHash: A })).to.equal(null);
  });
});

onEveryServer("observations by the hour", (open) => {
  it("are those of the last block that was known at the end of each, of all venues, and of the newest", async () => {
    const store = open();
    // Minutes after a whole hour; known a minute later.
    const minutes = [5, 30, 58.5, 59.5, 61, 90, 200, 201];
    for (const [blockNumber, minute] of minutes.entries()) {
      const observedAt = BEGIN + minute * 60;
      const block = { blockNumber, blockHash: hash(blockNumber), observedAt, availableAt: observedAt + 60 };
      const rows = ["a-usdc", "b-usdc"].map((venue, k) =>
        observationRow({ ...block, venue, adapter: `0x${String(k + 1).repeat(40)}` }),
      );
      await store.saveSnapshot(snapshotRow(block), rows);
    }
    const found = async (knownBy: number, from = BEGIN): Promise<string[]> => {
      const rows = await store.hourlyObservations({ chainId: 31_337, from, knownBy: BEGIN + knownBy * 60 });
      return rows.map(({ blockNumber, venue }) => `${blockNumber} ${venue}`);
    };
    const both = (...blocks: number[]): string[] => blocks.flatMap((block) => [`${block} a-usdc`, `${block} b-usdc`]);
    // The block of minute 59.5 is known only after the hour; that of 201 only at 202.
    expect(await found(201.5)).to.deep.equal(both(2, 5, 6));
    expect(await found(300)).to.deep.equal(both(2, 5, 7));
    expect(await found(40)).to.deep.equal(both(1));
    expect(await found(300, BEGIN + 2 * HOUR)).to.deep.equal(both(5, 7));
    expect(await store.hourlyObservations({ chainId: 1, from: BEGIN, knownBy: 2e9 })).to.deep.equal([]);
  });
});
