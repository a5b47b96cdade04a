import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { readSeries } from "../../../keeper/backtest/readSeries";
import { CANONICAL_COLUMNS } from "../../../keeper/collect/canonicalHistory";
import { InputFailure } from "../../../keeper/config/failure";
import { START } from "./synthetic";

const HEAD = CANONICAL_COLUMNS.join(",");
const ROWS = [0, 1, 2].map((h) => `${START + h * 3600 - 60},${START + h * 3600},1,1e6,8e5,0.0${h + 1},`).join("\n");
const NOW = START + 1e6;

describe("history from a folder", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "series-"));
    const write = (name: string, content: string | Buffer): void => writeFileSync(path.join(folder, name), content);
    write("aave-a.csv", `${HEAD}\n${ROWS}\n`);
    write("aave-b.csv.gz", gzipSync(`${HEAD}\n${ROWS}`));
    write("other.csv", `${HEAD}\n${ROWS.replace("0.02", "0.021")}\n`);
    write("empty.csv", `${HEAD}\n`);
    write("nan.csv", `${HEAD}\n${ROWS.replace("0.02", "NaN")}\n`);
    write("negative.csv", `${HEAD}\n${ROWS.replace("0.02", "-0.02")}\n`);
    write("percent.csv", `${HEAD}\n${ROWS.replace(/0\.0(\d)/g, "$1.5")}\n`);
    write("twice.csv", `${HEAD}\n${ROWS}\n`);
    write("twice.csv.gz", gzipSync(`${HEAD}\n${ROWS}`));
    write("torn.csv.gz", gzipSync(`${HEAD}\n${ROWS}`).subarray(0, 60));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (...names: string[]): ReturnType<typeof readSeries> => readSeries(folder, names, { now: NOW });

  it("comes from plain and packed files alike, in the order asked for", async () => {
    const { series } = await read("aave-b", "aave-a");
    expect(series.map(({ name }) => name)).to.deep.equal(["aave-b", "aave-a"]);
    for (const one of series) expect([...one.apr]).to.deep.equal([0.01, 0.02, 0.03]);
  });

  it("has a hash of its rows: another for other rows or other series, the same in whatever order", async () => {
    const hashes = await Promise.all([
      read("aave-a", "aave-b"),
      read("aave-b", "aave-a"),
      read("aave-a"),
      read("other"),
      read("aave-a", "other"),
    ]);
    const [both, turned, ...rest] = hashes.map(({ dataHash }) => dataHash);
    expect(both).to.match(/^[0-9a-f]{64}$/);
    expect(turned).to.equal(both);
    expect(new Set([both, ...rest]).size).to.equal(4);
  });

  const refused: Record<string, readonly [code: string, field: RegExp, ...names: string[]]> = {
    "a series without a file": ["BACKTEST_SERIES", /^--series$/, "nope"],
    "a name that leads out of the folder": ["BACKTEST_SERIES", /^--series$/, "../aave-a"],
    "a series named twice": ["BACKTEST_SERIES", /^--series$/, "aave-a", "aave-b", "aave-a"],
    "two files of one series": ["BACKTEST_SERIES", /^--series$/, "twice"],
    "a file without rows": ["IMPORT_EMPTY", /empty\.csv$/, "empty"],
    "a rate that is no number": ["IMPORT_MALFORMED", /nan\.csv: line 3, column 6$/, "nan"],
    "a rate below zero": ["BACKTEST_RATE", /^negative: supply_apr at available_at \d+$/, "negative"],
    "rates in percent": ["IMPORT_UNITS", /percent\.csv: column supply_apr$/, "percent"],
    "a file that is torn": ["IMPORT_UNREADABLE", /torn\.csv\.gz$/, "torn"],
  };
  for (const [what, [code, field, ...names]] of Object.entries(refused)) {
    it(`is refused for ${what}`, async () => {
      const error: unknown = await read(...names).catch((reason: unknown) => reason);
      if (!(error instanceof InputFailure)) throw error;
      expect(error.code).to.equal(code);
      expect(error.field).to.match(field);
    });
  }

  it("is refused where it is later than now, and left when it is told to stop", async () => {
    const early: unknown = await readSeries(folder, ["aave-a"], { now: START }).catch((error: unknown) => error);
    expect((early as InputFailure).code).to.equal("IMPORT_FUTURE");
    const signal = AbortSignal.abort(new Error("stopped"));
    const left: unknown = await readSeries(folder, ["aave-a"], { now: NOW, signal }).catch((error: unknown) => error);
    expect((left as Error).message).to.equal("stopped");
  });
});
