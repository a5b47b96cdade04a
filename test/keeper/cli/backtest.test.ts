import { expect } from "chai";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { historyCsv } from "../backtest/historyCsv";
import { rowsOf, wave } from "../backtest/synthetic";
import { backtestCommand } from "../../../keeper/cli/backtest";
import { Failure } from "../../../keeper/config/failure";
import { writeModel } from "../forecast/onnxFixture";
import { startTiller, type Ended } from "./tillerProcess";

const SPAN = ["--from", "2023-11-24", "--to", "2024-01-20"];
/** Parameters to choose among that differ much. */
const FEW = ["--vary", "half-life-hours=1,300"];
const STRATEGY_KEYS = [
  ...["totalReturn", "apy", "maxDrawdown", "sharpe"],
  ...["moves", "turnoverUsd", "costsUsd", "captureRatio"],
];

interface Answer {
  readonly dataHash: string;
  readonly model: {
    readonly name: string;
    readonly hash: string;
    readonly trainWindow: object;
    readonly peers: { readonly series: readonly string[]; readonly dataHash: string } | null;
  } | null;
  readonly strategies: Record<string, Record<string, number | null>>;
  readonly ceiling: { readonly totalReturn: number; readonly apy: number; readonly exact: boolean };
  readonly bestHold: { readonly series: string; readonly apy: number };
  readonly inSample: readonly string[];
  readonly walkForward: {
    readonly trials: number;
    readonly folds: readonly { readonly from: string; readonly parameters: Record<string, number> }[];
    readonly overfitting: number | null;
    readonly deflatedSharpe: number | null;
  } | null;
  readonly notes: readonly string[];
}

describe("tiller backtest", () => {
  let folder: string;
  let base: string[];
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "backtest-"));
    const a = rowsOf({ apr: wave(0.05, 0.03, 300), borrowed: wave(8e8, 1e8, 77) });
    writeFileSync(path.join(folder, "aave-a.csv"), historyCsv(a));
    const b = rowsOf({ apr: wave(0.055, 0.04, 170, 1), supplied: () => 5e7, borrowed: () => 4e7 });
    writeFileSync(path.join(folder, "compound-v3-b.csv.gz"), gzipSync(historyCsv(b)));
    writeFileSync(path.join(folder, "early.csv"), historyCsv(a.slice(0, 300)));
    writeFileSync(path.join(folder, "late.csv"), historyCsv(a.slice(400)));
    base = ["backtest", "--data", folder, "--series", "aave-a", "compound-v3-b", "--capital", "100000", ...SPAN];
  });
  after(() => rmSync(folder, { recursive: true }));

  const tiller = (args: readonly string[]): Promise<Ended> => startTiller(folder, args).ended;

  async function answer(...options: string[]): Promise<Answer> {
    const { code, out, err } = await tiller([...base, ...options, "--json"]);
    expect(err).to.equal("");
    expect(code).to.equal(0);
    return JSON.parse(out) as Answer;
  }

  it("answers in the fixed shape, for every strategy that can run", async () => {
    const found = await answer(...FEW);
    expect(Object.keys(found)).to.deep.equal([
      ...["dataHash", "model", "strategies", "ceiling", "bestHold", "inSample", "walkForward", "notes"],
    ]);
    expect(found.model).to.equal(null);
    const [prices, scores, ...others] = found.notes;
    expect(prices).to.equal("a, b: prices between assets, and what swapping one for another costs, are not counted");
    expect(scores).to.match(
      /^risk-adjusted, risk-adjusted-exact: .*only age and incidents are of that day.* are as of \d{4}-\d\d(-\d\d)?$/,
    );
    expect(others).to.deep.equal([]);
    expect(found.dataHash).to.match(/^[0-9a-f]{64}$/);
    expect(Object.keys(found.strategies)).to.deep.equal([
      ...["hold:aave-a", "hold:compound-v3-b", "equal-weight", "best-history", "highest-tvl", "risk-adjusted"],
      ...["risk-adjusted-exact", "mean-variance", "risk-parity", "ewma", "walk-forward"],
    ]);
    for (const figures of Object.values(found.strategies)) {
      expect(figures).to.include.all.keys(STRATEGY_KEYS);
      expect(figures["apy"]).to.be.at.most(found.ceiling.apy);
    }
    expect(found.ceiling).to.include.all.keys("totalReturn", "apy", "exact");
    expect(found.ceiling.exact).to.equal(false);
    expect(found.bestHold).to.have.all.keys("series", "apy");
    expect(found.strategies[`hold:${found.bestHold.series}`]?.["apy"]).to.equal(found.bestHold.apy);
  });

  it("chooses parameters by the past of each fold, and says of all others that they are in sample", async () => {
    const found = await answer(...FEW);
    const walked = found.walkForward;
    expect(walked?.trials).to.equal(2);
    // Of eight folds as many as are a fortnight long.
    expect(walked?.folds.map(({ from }) => from.slice(0, 10))).to.deep.equal([
      ...["2023-11-24", "2023-12-08", "2023-12-22", "2024-01-05"],
    ]);
    expect(walked?.folds.map(({ parameters }) => parameters["halfLifeHours"])[0], "as configured").to.equal(24);
    for (const { parameters } of walked?.folds.slice(1) ?? [])
      expect(parameters["halfLifeHours"]).to.be.oneOf([1, 300]);
    expect(walked?.overfitting).to.be.within(0, 1);
    const named = Object.keys(found.strategies).filter((name) => name !== "walk-forward" && !name.startsWith("hold:"));
    expect(found.inSample).to.deep.equal(["bestHold", "ceiling", ...named]);

    const alone = await answer(...FEW, "--strategy", "walk-forward");
    expect(Object.keys(alone.strategies)).to.deep.equal(["walk-forward"]);
    expect(alone.strategies).to.deep.equal({ "walk-forward": found.strategies["walk-forward"] });
    const { out } = await tiller([...base, ...FEW, "--strategy", "walk-forward", "ewma", "hold:aave-a"]);
    expect(out).to.match(/walk-forward +by each fold's past +\d/);
    expect(out).to.match(/ewma +as set \(in sample\) +\d/);
    expect(out).to.match(/hold:aave-a +none +\d/);
    expect(out).to.match(
      /\nwalk-forward: .* 4 folds the past chose one of 2 parameters.* probability of overfitting \d/,
    );
  });

  it("tries parameters for nobody who names other strategies", async () => {
    const { walkForward, strategies, inSample } = await answer("--strategy", "ewma");
    expect([walkForward, Object.keys(strategies)]).to.deep.equal([null, ["ewma"]]);
    expect(inSample).to.deep.equal(["bestHold", "ceiling", "ewma"]);
  });

  it("leaves out what chooses by the past where there is none, and refuses it where it was asked for", async () => {
    const short = ["--from", "2023-11-24", "--to", "2023-12-21"];
    const { walkForward, strategies, notes } = await answer(...short);
    expect([walkForward, Object.keys(strategies).includes("walk-forward")]).to.deep.equal([null, false]);
    expect(notes.at(-1)).to.equal(
      "walk-forward: left out, to choose by the past takes two folds of 14 days at the least",
    );
    const alone = base.filter((word) => word !== "compound-v3-b");
    const one = JSON.parse((await tiller([...alone, "--json"])).out) as Answer;
    expect(one.walkForward).to.equal(null);
    expect(one.notes.at(-1)).to.match(/^walk-forward: left out, .* one market$/);
    for (const [field, ...options] of [["--to", ...short] as const, ["--folds", "--folds", "1"] as const]) {
      const { code, out, err } = await tiller([...base, ...options, "--strategy", "walk-forward", "--json"]);
      expect([code, out]).to.deep.equal([2, ""]);
      expect(JSON.parse(err)).to.have.nested.include({ "error.code": "BACKTEST_SPAN", "error.field": field });
    }
  });

  it("hashes the rows that it read, however they are packed or named in order, and nothing else", async () => {
    const one = await answer("--strategy", "ewma");
    const other = await tiller([
      ...["backtest", "--data", folder, "--series", "compound-v3-b", "aave-a", "--capital", "5", ...SPAN],
      ...["--price-taker", "--strategy", "hold:aave-a", "--json"],
    ]);
    const found = JSON.parse(other.out) as Answer;
    expect(found.dataHash).to.equal(one.dataHash);
    expect(found.ceiling.exact).to.equal(true);
    expect(Object.keys(found.strategies)).to.deep.equal(["hold:aave-a"]);
  });

  it("says null where the ceiling is the hold", async () => {
    const { out } = await tiller([
      ...["backtest", "--data", folder, "--series", "aave-a", "--capital", "1000", ...SPAN, "--price-taker", "--json"],
      ...["--strategy", "hold:aave-a", "ewma"],
    ]);
    const found = JSON.parse(out) as Answer;
    expect(found.strategies["hold:aave-a"]?.["captureRatio"]).to.equal(null);
    expect(found.notes).to.deep.equal([]);
    expect(found.ceiling.apy).to.be.closeTo(found.bestHold.apy, 1e-12);
  });

  it("shows a table to a person", async () => {
    const { code, out } = await tiller([...base, "--strategy", "ewma", "hold:aave-a"]);
    expect(code).to.equal(0);
    expect(out).to.match(/ewma +as set \(in sample\) +\d\.\d\d % /);
    expect(out).to.match(/best hold +\d\.\d\d % +/);
    expect(out).to.match(/upper bound; a plan with hindsight reached \d\.\d\d %/);
    expect(out).to.include("own deposits dilute rates");
  });

  /** In this process: what is wrong with options shows before anything is read. */
  async function refusal(args: readonly string[]): Promise<Failure> {
    const error: unknown = await backtestCommand()
      .parseAsync(args, { from: "user" })
      .then(
        () => new Error("was taken"),
        (reason: unknown) => reason,
      );
    if (!(error instanceof Failure)) throw error;
    return error;
  }

  const refused: Record<string, readonly [field: string, code: string, ...options: string[]]> = {
    "no money": ["--capital", "OPTION_MALFORMED", "--capital", "0"],
    "money below nothing": ["--capital", "OPTION_MALFORMED", "--capital", "-5"],
    "an end before the begin": ["--to", "BACKTEST_SPAN", "--to", "2023-11-20"],
    "a day that is none": ["--from", "OPTION_MALFORMED", "--from", "2023-02-31"],
    "an unknown strategy": ["--strategy", "BACKTEST_STRATEGY", "--strategy", "magic"],
    "a hold of what is not there": ["--strategy", "BACKTEST_STRATEGY", "--strategy", "hold:x"],
    "a folder without a model": ["--models", "MODEL_MISSING", "--models", "no-such-folder", "--strategy", "ewma", "ml"],
    "a folder without a model, whoever asks": ["--models", "MODEL_MISSING", "--models", "no-such-folder"],
    "steps that do not fill a day": ["--step-minutes", "OPTION_MALFORMED", "--step-minutes", "7"],
    "a lag that is no number": ["--lag-hours", "OPTION_MALFORMED", "--lag-hours", "soon"],
    "gas below nothing": ["--gas-usd-per-move", "OPTION_MALFORMED", "--gas-usd-per-move", "-1"],
    "a cost that is no number": ["--cost-bps", "OPTION_MALFORMED", "--cost-bps", "NaN"],
    "a seed that is none": ["--seed", "OPTION_MALFORMED", "--seed", "1.5"],
  };
  it("refuses what cannot be meant, with the field and the remedy", async () => {
    for (const [what, [field, code, ...options]] of Object.entries(refused)) {
      const failure = await refusal([...base.slice(1), ...options]);
      expect([failure.code, failure.field, failure.exitCode], what).to.deep.equal([code, field, 2]);
      expect(failure.remedy, what).to.not.equal("");
    }
    for (const option of ["--data", "--series", "--capital", "--from", "--to"]) {
      const at = base.indexOf(option);
      const until = base.findIndex((word, k) => k > at && word.startsWith("--"));
      const failure = await refusal([...base.slice(1, at), ...(until < 0 ? [] : base.slice(until))]);
      expect([failure.code, failure.field]).to.deep.equal(["OPTION_MISSING", option]);
    }
  });

  it("ends with exit code 2 and one line for history that does not do", async () => {
    const whole = await tiller([...base.slice(0, 3), "--series", "early", "late", "--capital", "5", ...SPAN, "--json"]);
    expect([whole.code, whole.out]).to.deep.equal([2, ""]);
    expect(JSON.parse(whole.err)).to.have.nested.include({
      "error.code": "BACKTEST_OVERLAP",
      "error.field": "--series",
    });
    const large = await tiller([...base, "--capital", "1e12"]);
    expect([large.code, large.out]).to.deep.equal([2, ""]);
    expect(large.err).to.match(/^tiller: --capital: .*\(BACKTEST_CAPITAL\)\..*\n$/);
  });

  it("has the row of a model by itself and says whose it is, or with a broken card has none at all", async () => {
    const models = path.join(folder, "models");
    const fresh = writeModel(models, { weights: { apr_less_ewma: 0.5 } }, { name: "fresh" });
    const found = await answer("--models", models, ...FEW);
    expect(found.strategies).to.have.any.keys("ml");
    const hash = createHash("sha256")
      .update(readFileSync(path.join(fresh, "model.onnx")))
      .digest("hex");
    const trainWindow = { from: 0, to: 1_600_000_000 };
    const peers = found.model?.peers;
    expect(found.model).to.deep.equal({ name: "fresh", hash, trainWindow, peers });
    // Of the assets a and b the folder has no other series.
    expect(peers?.series).to.deep.equal([]);
    writeFileSync(path.join(folder, "other-a.csv"), historyCsv(rowsOf({ apr: wave(0.03, 0.01, 90) })));
    const beside = await answer("--models", models);
    expect(beside.dataHash, "the markets are the same").to.equal(found.dataHash);
    expect(beside.model?.peers?.series).to.deep.equal(["other-a"]);
    expect(beside.model?.peers?.dataHash)
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.equal(peers?.dataHash);
    rmSync(path.join(folder, "other-a.csv"));
    const asked = ["--models", models, "--strategy", "ml"];
    const words = `model fresh, ${hash.slice(0, 16)}, trained up to 2020-09-13`;
    expect((await tiller([...base, ...asked])).out).to.contain(words);
    const [, ...options] = base;
    const leaks = await tiller(["backtest", "check-leaks", ...options, ...asked, "--moments", "1"]);
    expect(leaks.out).to.contain(words);
    const card = path.join(writeModel(models, {}, { name: "torn" }), "card.json");
    truncateSync(card, 100);
    const { code, out, err } = await tiller([...base, "--models", models, "--json"]);
    expect([code, out]).to.deep.equal([2, ""]);
    expect(JSON.parse(err)).to.have.nested.include({ "error.code": "MODEL_CARD", "error.field": card });
    expect((await tiller([...base, ...asked])).code).to.equal(2);
    await answer("--models", models, "--strategy", "ewma");
  });

  it("checks for leaks with the same options", async () => {
    const [, ...options] = base;
    const result = await tiller(["backtest", "check-leaks", ...options, "--moments", "2", "--json"]);
    expect(result.err).to.equal("");
    expect(result.code).to.equal(0);
    const found = JSON.parse(result.out) as {
      clean: boolean;
      strategies: Record<string, { clean: boolean }>;
      notes: string[];
    };
    expect(found.clean).to.equal(true);
    expect(found.notes.join(), "what the check cannot see").to.match(/^risk-adjusted, risk-adjusted-exact: /);
    expect(found.notes.at(-1)).to.equal("walk-forward: chosen among 4 parameters in 4 folds");
    expect(Object.keys(found.strategies)).to.include.members(["ewma", "walk-forward", "risk-adjusted", "hold:aave-a"]);
    const table = await tiller(["backtest", "check-leaks", ...options, "--moments", "1", "--strategy", "ewma"]);
    expect(table.out).to.match(/ewma +\d[\d,]* +clean/);
    const config = path.join(folder, "tail.json");
    writeFileSync(config, JSON.stringify({ risk: { tail: { kappa: 0.5 } } }));
    const tail = await answer("--strategy", "ewma", "--config", config);
    expect(tail.notes.slice(1).join()).to.match(/^joint shocks .* as is thought today/);
  });
});
