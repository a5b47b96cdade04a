// The data set as a folder: whole or not there, the same from the same data, and without a bit of the future.
import { expect } from "chai";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputFailure } from "../../../keeper/config/failure";
import { writeDataset, type DatasetManifest, type DatasetOptions } from "../../../keeper/forecast/dataset";
import { FEATURES } from "../../../keeper/forecast/features";
import { PEG_FEATURES } from "../../../keeper/forecast/pegFeatures";
import type { HistoryStore } from "../../../keeper/store/historyRecords";
import type { PoolStateRow } from "../../../keeper/store/poolFileRecords";
import { BEGIN, FIXTURE_SERIES, fixtureStore } from "./datasetFixture";
import { DAI_USDC, PAIRS, USDC_USDT, pricedStore } from "./pegFixture";

const HOUR = 3_600;
const HEADER = 128;

describe("the data set", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "tiller-dataset-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (store: HistoryStore, name: string, over: Partial<DatasetOptions> = {}): Promise<DatasetManifest> =>
    writeDataset(store, { out: path.join(folder, name), series: FIXTURE_SERIES, ...over });
  const file = (name: string, which: string): Buffer => readFileSync(path.join(folder, name, which));

  it("says in its manifest what is in its files", async () => {
    const manifest = await write(fixtureStore(), "a");
    expect(JSON.parse(file("a", "manifest.json").toString())).to.deep.equal(JSON.parse(JSON.stringify(manifest)));
    expect(readdirSync(folder), "nothing is left beside it").to.deep.equal(["a"]);
    for (const [name, { shape, dtype, sha256 }] of Object.entries(manifest.files)) {
      const bytes = file("a", name);
      expect(createHash("sha256").update(bytes).digest("hex"), name).to.equal(sha256);
      const numbers = shape.reduce((product, length) => product * length, 1);
      expect(bytes.length, name).to.equal(HEADER + numbers * Number(dtype.at(-1)));
    }
    expect(manifest.series.map(({ name, asset, begin, end }) => [name, asset, begin, end])).to.deep.equal([
      ["one-dai", "dai", 0, 600],
      ["one-usdc", "usdc", 600, 1_200],
      ["three-usdc", "usdc", 1_200, 1_296],
      ["two-usdc", "usdc", 1_296, 1_896],
    ]);
    expect(manifest.rows).to.equal(1_896);
    expect(manifest.files["features.npy"]?.shape).to.deep.equal([1_896, FEATURES.length]);
  });

  it("is the same, byte for byte, from the same data, and another from other data", async () => {
    const first = await write(fixtureStore(), "a");
    const second = await write(fixtureStore(), "b");
    expect(second).to.deep.equal(first);
    expect(file("b", "features.npy").equals(file("a", "features.npy"))).to.equal(true);
    const altered = await write(
      fixtureStore((rows, name) =>
        name === "one-dai" ? [{ ...rows[0], supplyApr: 0.5 } as never, ...rows.slice(1)] : rows,
      ),
      "c",
    );
    expect(altered.dataHash).not.to.equal(first.dataHash);
  });

  it("has no bit of the future in any feature, of peers neither", async () => {
    const cut = BEGIN + 300 * HOUR;
    const whole = await write(fixtureStore(), "whole");
    const futures: Record<string, HistoryStore> = {
      cut: fixtureStore((rows) => rows.filter(({ availableAt }) => availableAt <= cut)),
      shifted: fixtureStore((rows) =>
        rows.map((row) =>
          row.availableAt <= cut ? row : { ...row, observedAt: row.observedAt + 61, availableAt: row.availableAt + 61 },
        ),
      ),
      replaced: fixtureStore((rows) =>
        rows.map((row) =>
          row.availableAt <= cut ? row : { ...row, supplyApr: 0.9, suppliedUsd: 1, borrowedUsd: 5, flags: 255 },
        ),
      ),
    };
    for (const [what, store] of Object.entries(futures)) {
      const other = await write(store, what);
      let compared = 0;
      for (const { name, begin, from } of whole.series) {
        const there = other.series.find((one) => one.name === name);
        if (there === undefined) throw new Error(`${name} is gone`);
        const hours = Math.min((cut - from) / HOUR + 1, there.end - there.begin);
        const slice = (of: string, first: number): Buffer =>
          file(of, "features.npy").subarray(
            HEADER + first * FEATURES.length * 8,
            HEADER + (first + hours) * FEATURES.length * 8,
          );
        expect(slice(what, there.begin).equals(slice("whole", begin)), `${what} ${name}`).to.equal(true);
        compared += hours;
      }
      expect(compared).to.be.greaterThan(900);
      expect(file(what, "targets.npy").equals(file("whole", "targets.npy")), "targets are of the future").to.equal(
        false,
      );
    }
  });

  it("keeps to a span, with the same numbers as the whole has there", async () => {
    const whole = await write(fixtureStore(), "whole");
    const [from, to] = [BEGIN + 200 * HOUR + 7, BEGIN + 250 * HOUR];
    const part = await write(fixtureStore(), "part", { from, to });
    const [dai, ...rest] = part.series;
    expect(dai).to.include({ from: BEGIN + 201 * HOUR, to, begin: 0, end: 50 });
    expect(
      rest.map(({ name }) => name),
      "a series that had ended has no rows",
    ).to.deep.equal(["one-usdc", "two-usdc"]);
    const width = FEATURES.length * 8;
    const begin = (whole.series[0]?.begin ?? 0) + 201;
    expect(
      file("part", "features.npy")
        .subarray(HEADER, HEADER + 50 * width)
        .equals(file("whole", "features.npy").subarray(HEADER + begin * width, HEADER + (begin + 50) * width)),
    ).to.equal(true);
    const target = (name: string, row: number): number =>
      file(name, "targets.npy").readDoubleLE(HEADER + row * 32 + 24);
    expect(target("part", 0)).to.equal(target("whole", begin));
  });

  it("has prices of dollars beside it where there are any, and is otherwise the same, byte for byte", async () => {
    const without = await write(fixtureStore(), "without");
    const { pegs, ...rates } = await write(pricedStore(), "priced", { pools: PAIRS });
    expect(rates).to.deep.equal(without);
    expect(without).not.to.have.property("pegs");
    for (const name of Object.keys(rates.files)) {
      expect(file("priced", name).equals(file("without", name)), name).to.equal(true);
    }
    if (pegs === undefined) throw new Error("there are no prices");
    expect(pegs.pairs.map(({ name, begin, end, from, to }) => ({ name, begin, end, from, to }))).to.deep.equal([
      { name: DAI_USDC.subject, begin: 0, end: 400, from: BEGIN, to: BEGIN + 399 * HOUR },
      { name: USDC_USDT.subject, begin: 400, end: 800, from: BEGIN, to: BEGIN + 399 * HOUR },
    ]);
    for (const [name, { shape, dtype, sha256 }] of Object.entries(pegs.files)) {
      const bytes = file("priced", name);
      expect(createHash("sha256").update(bytes).digest("hex"), name).to.equal(sha256);
      const numbers = shape.reduce((product, length) => product * length, 1);
      expect(bytes.length, name).to.equal(HEADER + numbers * Number(dtype.at(-1)));
    }
    // Of the same wandering, one pair in coins of 18 and 6 decimals: at par the one tick, which is no whole number, apart.
    const deviation = (row: number): number =>
      file("priced", "peg-features.npy").readDoubleLE(HEADER + row * PEG_FEATURES.length * 8);
    for (let k = 0; k < 400; k += 1) expect(deviation(k)).to.be.closeTo(deviation(400 + k), 1e-4);
    expect(deviation(400)).to.be.closeTo(1.0001 ** 19 - 1, 1e-12);
    const other = await write(
      pricedStore((rows) => rows.map((row, k) => (k === 7 ? { ...row, state: '{"tick":"3","liquidity":"1"}' } : row))),
      "other",
      { pools: PAIRS },
    );
    expect(other.dataHash, "prices are no part of it").to.equal(rates.dataHash);
    expect(other.pegs?.dataHash).not.to.equal(pegs.dataHash);
    expect((await write(pricedStore(), "none", { pools: PAIRS.slice(2) })).pegs).to.equal(undefined);
    expect(readdirSync(path.join(folder, "none"))).to.have.members(readdirSync(path.join(folder, "without")));
  });

  it("has no bit of the future in any feature of a price", async () => {
    const cut = BEGIN + 300 * HOUR;
    const whole = await write(pricedStore(), "whole", { pools: [USDC_USDT] });
    const later = (change: (row: PoolStateRow) => PoolStateRow): HistoryStore =>
      pricedStore((rows) => rows.map((row) => (row.availableAt <= cut ? row : change(row))));
    const futures = {
      cut: pricedStore((rows) => rows.filter(({ availableAt }) => availableAt <= cut)),
      shifted: later((row) => ({ ...row, observedAt: row.observedAt + 61, availableAt: row.availableAt + 61 })),
      replaced: later((row) => ({ ...row, state: '{"tick":"900","liquidity":"0"}' })),
      "known before it is known": later((row) => ({ ...row, observedAt: cut, availableAt: row.availableAt + HOUR })),
    };
    const slice = (name: string): Buffer =>
      file(name, "peg-features.npy").subarray(HEADER, HEADER + 301 * PEG_FEATURES.length * 8);
    expect(whole.pegs?.rows).to.equal(400);
    for (const [what, store] of Object.entries(futures)) {
      await write(store, what, { pools: [USDC_USDT] });
      expect(slice(what).equals(slice("whole")), what).to.equal(true);
      expect(file(what, "peg-features.npy").equals(file("whole", "peg-features.npy")), what).to.equal(false);
    }
  });

  it("keeps to a span, of prices too, with the same numbers as the whole has there", async () => {
    await write(pricedStore(), "whole", { pools: [USDC_USDT] });
    const [from, to] = [BEGIN + 200 * HOUR + 7, BEGIN + 250 * HOUR];
    const part = await write(pricedStore(), "part", { from, to, pools: [USDC_USDT] });
    expect(part.pegs?.pairs[0]).to.include({ from: BEGIN + 201 * HOUR, to, begin: 0, end: 50 });
    const width = PEG_FEATURES.length * 8;
    const rows = (name: string, first: number): Buffer =>
      file(name, "peg-features.npy").subarray(HEADER + first * width, HEADER + (first + 50) * width);
    expect(rows("part", 0).equals(rows("whole", 201))).to.equal(true);
  });

  it("replaces a data set, and nothing else", async () => {
    await write(fixtureStore(), "a");
    await write(fixtureStore(), "a", { to: BEGIN + 10 * HOUR });
    expect((JSON.parse(file("a", "manifest.json").toString()) as DatasetManifest).rows).to.equal(4 * 11);
    const mine = path.join(folder, "mine");
    mkdirSync(mine);
    writeFileSync(path.join(mine, "thesis.txt"), "years");
    expect((await failureOf(write(fixtureStore(), "mine"))).code).to.equal("DATASET_PLACE");
    expect((await failureOf(write(fixtureStore(), "mine/thesis.txt"))).code).to.equal("DATASET_PLACE");
    expect(readFileSync(path.join(mine, "thesis.txt"), "utf8")).to.equal("years");
  });

  it("leaves nothing when it is stopped, or has nothing to write", async () => {
    const stop = new AbortController();
    const stopped = write(fixtureStore(), "a", {
      signal: stop.signal,
      progress: () => stop.abort(new Error("stopped")),
    });
    expect(
      await stopped.then(
        () => "done",
        (error: Error) => error.message,
      ),
    ).to.equal("stopped");
    expect((await failureOf(write(fixtureStore(), "b", { from: BEGIN + 9_999 * HOUR }))).code).to.equal(
      "DATASET_EMPTY",
    );
    expect(readdirSync(folder)).to.deep.equal([]);
    expect(existsSync(path.join(folder, "a"))).to.equal(false);
  });
});

async function failureOf(action: Promise<unknown>): Promise<InputFailure> {
  try {
    await action;
  } catch (error) {
    if (error instanceof InputFailure) return error;
    throw error;
  }
  throw new Error("it succeeded");
}
