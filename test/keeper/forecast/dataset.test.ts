// The data set as a folder: whole or not there, the same from the same data, and without a bit of the future.
import { expect } from "chai";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { InputFailure } from "../../../keeper/config/failure";
import { writeDataset, type DatasetManifest, type DatasetOptions } from "../../../keeper/forecast/dataset";
import { FEATURES } from "../../../keeper/forecast/features";
import type { HistoryStore } from "../../../keeper/store/historyRecords";
import { BEGIN, FIXTURE_SERIES, fixtureStore } from "./datasetFixture";

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
