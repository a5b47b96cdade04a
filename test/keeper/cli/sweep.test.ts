// `tiller backtest sweep` and the tear sheet of `tiller backtest --html`, as a person runs them.
import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { historyCsv } from "../backtest/historyCsv";
import { rowsOf, wave } from "../backtest/synthetic";
import { startTiller, type Ended } from "./tillerProcess";

interface Swept {
  readonly trials: readonly { readonly parameters: Record<string, number>; readonly totalReturn: number }[];
  readonly bestInSample: Record<string, number>;
  readonly overfitting: { readonly probability: number; readonly splits: number };
  readonly deflatedSharpe: number;
  readonly folds: readonly { readonly from: string; readonly parameters: Record<string, number> }[];
  readonly strategies: Record<string, { readonly totalReturn: number }>;
  readonly ceiling: { readonly totalReturn: number };
}

describe("tiller backtest sweep", function () {
  this.timeout(120_000);
  let folder: string;
  let base: string[];
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "sweep-"));
    writeFileSync(path.join(folder, "aave-a.csv"), historyCsv(rowsOf({ apr: wave(0.05, 0.03, 300) })));
    writeFileSync(path.join(folder, "compound-b.csv"), historyCsv(rowsOf({ apr: wave(0.05, 0.04, 170, 1) })));
    base = [
      ...["--data", folder, "--series", "aave-a", "compound-b", "--capital", "1000000", "--price-taker"],
      ...["--from", "2023-11-24", "--to", "2024-01-20"],
    ];
  });
  after(() => rmSync(folder, { recursive: true }));

  const tiller = (...args: string[]): Promise<Ended> => startTiller(folder, ["backtest", ...args]).ended;
  async function swept(...options: string[]): Promise<Swept> {
    const vary = ["--vary", "half-life-hours=1,24,500", "cooldown-hours=1,48"];
    const { code, out, err } = await tiller("sweep", ...base, ...vary, "--folds", "3", ...options, "--json");
    expect(code, err).to.equal(0);
    return JSON.parse(out) as Swept;
  }

  it("runs each combination once, on any number of threads, and goes on from its file", async () => {
    const out = path.join(folder, "trials.jsonl");
    const one = await swept("--workers", "1");
    const two = await swept("--workers", "3", "--out", out);
    expect(two).to.deep.equal(one);
    expect(one.trials).to.have.length(6);
    const best = Math.max(...one.trials.map(({ totalReturn }) => totalReturn));
    expect(one.trials.find(({ totalReturn }) => totalReturn === best)?.parameters).to.deep.equal(one.bestInSample);
    expect(one.strategies["best in sample"]?.totalReturn).to.be.closeTo(best, 1e-12);
    expect(one.overfitting.splits).to.equal(12_870);
    expect(one.overfitting.probability).to.be.within(0, 1);

    const kept = readFileSync(out, "utf8").trim().split("\n");
    expect(kept).to.have.length(6);
    // Half of them, the last one cut off: as a kill leaves it.
    writeFileSync(out, `${kept.slice(0, 3).join("\n")}\n${(kept[3] ?? "").slice(0, 40)}`);
    expect(await swept("--workers", "2", "--out", out)).to.deep.equal(one);
    // What is kept is believed: a trial that says otherwise is what comes out.
    const forged = readFileSync(out, "utf8").replace(/"moves":\d+/, '"moves":777');
    writeFileSync(out, forged);
    const { trials } = await swept("--workers", "2", "--out", out);
    expect(JSON.stringify(trials)).to.contain('"moves":777');
  });

  it("chooses by the past of each fold, and begins with what is configured", async () => {
    const { folds, strategies, ceiling } = await swept();
    expect(folds.map(({ from }) => from.slice(0, 10))).to.deep.equal(["2023-11-24", "2023-12-13", "2024-01-01"]);
    expect(folds[0]?.parameters["halfLifeHours"]).to.equal(24);
    for (const { totalReturn } of Object.values(strategies)) expect(totalReturn).to.be.at.most(ceiling.totalReturn);
  });

  it("refuses what cannot be varied, and a file of something else", async () => {
    const wrong: readonly [string[], string, string][] = [
      [["--vary", "luck=1,2"], "SWEEP_VARY", "--vary"],
      [["--vary", "band-bps=1,x"], "SWEEP_VARY", "--vary"],
      [["--vary", "band-bps=1,1"], "SWEEP_VARY", "--vary"],
      [["--folds", "0"], "OPTION_MALFORMED", "--folds"],
      [["--strategy", "ewma"], "USAGE", "command line"],
      [["--out", path.join(folder, "aave-a.csv")], "SWEEP_FILE", "--out"],
    ];
    for (const [options, code, field] of wrong) {
      const { code: exit, err } = await tiller("sweep", ...base, ...options, "--json");
      expect(exit, err).to.equal(2);
      expect((JSON.parse(err) as { error: unknown }).error).to.include({ code, field });
    }
  });

  it("writes a tear sheet that needs no network and runs no script", async () => {
    const file = path.join(folder, "sheet.html");
    const few = ["--vary", "half-life-hours=6,72"];
    const { code, err } = await tiller(...base, ...few, "--html", file, "--json");
    expect(code, err).to.equal(0);
    const page = readFileSync(file, "utf8");
    expect(page).not.to.match(/<script|https?:|NaN|undefined|Infinity/);
    for (const text of [
      "hold:aave-a",
      "ewma",
      "walk-forward",
      "by each fold&#39;s past",
      "as set (in sample)",
      "ceiling",
      "as forecast",
      "Data SHA-256",
      "Drawdown",
    ]) {
      expect(page).to.contain(text);
    }
    expect(page.match(/<svg/g)?.length).to.be.at.least(6);
    // Eleven strategies and ten colours: no two lines look alike.
    const [legend = ""] = /<p class="legend">.*?<\/p>/.exec(page) ?? [];
    const looks = Array.from(legend.matchAll(/class="key ([^"]*)"/g), ([, look]) => look);
    expect(looks).to.have.length(11);
    expect(new Set(looks).size).to.equal(11);
  });
});
