// `tiller backtest walk-forward`, as a person runs it.
import { expect } from "chai";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Metrics } from "../../../keeper/backtest/metrics";
import { rowsOf, wave } from "../backtest/synthetic";
import { historyCsv } from "../backtest/historyCsv";
import { startTiller, type Ended } from "./tillerProcess";

interface Found {
  readonly sets: readonly {
    readonly asset: string;
    readonly series: readonly string[];
    readonly from: string;
    readonly to: string;
    readonly strategies: Record<string, Metrics>;
    readonly bestHold: { readonly series: string; readonly apy: number };
    readonly ceiling: { readonly apy: number };
    readonly inSample: readonly string[];
    readonly trials: number;
    readonly overfitting: number | null;
  }[];
  readonly notes: readonly string[];
}

describe("tiller backtest walk-forward", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "walk-"));
    const file = (name: string, from: number, to: number, apr: (hour: number) => number): void => {
      const rows = rowsOf({ apr, hours: to }).slice(from);
      writeFileSync(path.join(folder, `${name}.csv`), historyCsv(rows));
    };
    file("aave-v2-abc", 0, 9_000, wave(0.04, 0.03, 700));
    file("aave-v3-abc", 0, 9_000, wave(0.05, 0.03, 900, 1));
    file("compound-v3-abc", 4_500, 9_000, wave(0.06, 0.04, 400, 2));
    file("aave-v2-lone", 0, 9_000, wave(0.04, 0.03, 700));
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): Promise<Ended> =>
    startTiller(folder, [
      ...["backtest", "walk-forward", "--data", folder, "--capital", "100000", "--price-taker"],
      ...["--from", "2023-11-20", "--to", "2025-01-01", "--vary", "half-life-hours=6,72", "--folds", "3", ...args],
    ]).ended;

  it("takes every part of the span in which the same markets were there, and compares all strategies on it", async () => {
    const out = path.join(folder, "kept");
    const { code, out: text, err } = await run("--asset", "abc", "--out", out, "--json");
    expect(code, err).to.equal(0);
    const { sets, notes } = JSON.parse(text) as Found;
    expect(notes, "once for all sets").to.have.length(1);
    expect(notes[0]).to.match(/^risk-adjusted, risk-adjusted-exact: of a past day's scorecard/);
    expect(sets.map(({ series, from, to }) => [series.join(" "), from, to])).to.deep.equal([
      ["aave-v2-abc aave-v3-abc", "2023-11-20", "2024-05-20"],
      ["aave-v2-abc aave-v3-abc compound-v3-abc", "2024-05-20", "2024-11-22"],
    ]);
    for (const { strategies, ceiling, trials, overfitting, inSample } of sets) {
      expect(inSample).to.deep.equal([
        ...["bestHold", "ceiling", ...Object.keys(strategies).filter((name) => name !== "walk-forward")],
      ]);
      expect(trials).to.equal(2);
      expect(overfitting).to.be.within(0, 1);
      expect(Object.keys(strategies)).to.include.members([
        ...["walk-forward", "as configured", "best in sample", "equal-weight", "best-history", "highest-tvl"],
        ...["risk-adjusted", "mean-variance", "risk-parity"],
      ]);
      for (const { apy } of Object.values(strategies)) expect(apy).to.be.at.most(ceiling.apy + 1e-12);
    }
    expect(readdirSync(out).sort()).to.deep.equal(["abc-2023-11-20.jsonl", "abc-2024-05-20.jsonl"]);
  });

  it("prints it as tables, what was chosen on this history named so", async () => {
    const { code, out, err } = await run("--asset", "abc");
    expect(code, err).to.equal(0);
    expect(out).to.match(/ABC, 2023-11-20 to 2024-05-20: aave-v2-abc, aave-v3-abc/);
    expect(out).to.match(/best in sample \(chosen on this history\)/);
    expect(out).to.match(/\nas configured, as set \(in sample\) +\d/);
    expect(out).to.match(/\nwalk-forward +\d/);
    expect(out).to.match(/\nrisk-adjusted, risk-adjusted-exact: of a past day's scorecard.*\n$/);
    expect(out.match(/probability of overfitting \d+\.\d\d % over 2 trials/g)).to.have.length(2);
  });

  it("refuses an asset without two markets, none at all, and a folder that is not there", async () => {
    const wrong: readonly [string[], string, string][] = [
      [["--asset", "lone"], "BACKTEST_SERIES", "--asset"],
      [["--asset", "xyz"], "BACKTEST_SERIES", "--asset"],
      [[], "OPTION_MISSING", "--asset"],
      [["--asset", "abc", "--data", path.join(folder, "none")], "BACKTEST_SERIES", "--data"],
      // What it would not heed.
      [["--asset", "abc", "--series", "aave-v2-abc"], "USAGE", "command line"],
      [["--asset", "abc", "--strategy", "ewma"], "USAGE", "command line"],
      [["--asset", "abc", "--models", folder], "USAGE", "command line"],
      [["--asset", "abc", "--out", path.join(folder, "aave-v2-abc.csv")], "SWEEP_FILE", "--out"],
    ];
    for (const [options, code, field] of wrong) {
      const { code: exit, err } = await run(...options, "--json");
      expect(exit, err).to.equal(2);
      expect((JSON.parse(err) as { error: unknown }).error).to.include({ code, field });
    }
  });
});
