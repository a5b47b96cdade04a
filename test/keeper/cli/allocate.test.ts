import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { allocateCommand } from "../../../keeper/cli/allocate";
import { Failure } from "../../../keeper/config/failure";
import { randomProblem, seeded } from "../../../scripts/bench/randomProblems";
import { aprOf, bruteForce, objective, violation } from "../allocate/oracle";
import { EXAMPLE } from "../allocate/example";
import type { AllocationAnswer } from "../../../keeper/allocate/problem";
import type { RateModel } from "../../../keeper/venues/rateModel";

describe("tiller allocate", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), "allocate-"))));
  after(() => rmSync(folder, { recursive: true }));

  async function run(problem: unknown, ...options: string[]): Promise<string> {
    const file = path.join(folder, "problem.json");
    writeFileSync(file, typeof problem === "string" ? problem : JSON.stringify(problem));
    let out = "";
    const command = allocateCommand().configureOutput({ writeOut: (text) => void (out += text) });
    await command.parseAsync(["--problem", file, ...options], { from: "user" });
    return out;
  }

  it("answers the example of its contract with exactly the fixed shape", async () => {
    const out = await run(EXAMPLE, "--json");
    expect(out.trimEnd()).not.to.include("\n");
    const answer = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(answer)).to.deep.equal([
      "allocation",
      "idle",
      "incomePerYear",
      "gainOverHorizon",
      "costUsd",
      "moves",
      "exact",
    ]);
    // Aave pays more than savings up to its cap, Comet less than savings throughout.
    expect(answer["allocation"]).to.deep.equal({ "aave-usdc": 5e5, "comet-usdc": 0, savings: 5e5 });
    const income = 5e5 * aprOf(EXAMPLE.venues[0]?.model as RateModel, 5e5) + 5e5 * 0.045;
    expect(answer["incomePerYear"]).to.be.closeTo(income, 1e-6);
    expect(answer["gainOverHorizon"]).to.be.closeTo((income * 168) / 8760 - 10, 1e-6);
    expect(answer).to.deep.include({
      idle: 0,
      costUsd: 10,
      moves: [
        { id: "aave-usdc", from: 0, to: 5e5 },
        { id: "savings", from: 0, to: 5e5 },
      ],
      exact: true,
    });
  });

  it("answers problems with Curve's and Uniswap's pools as well as brute force does, to a billionth", async () => {
    let pools = 0;
    for (let seed = 60_000; seed < 60_040; seed++) {
      const random = seeded(seed);
      const problem = randomProblem(random, { venues: 2 + Math.floor(random() * 2), pools: 0.7 });
      const answer = JSON.parse(await run(problem, "--json")) as AllocationAnswer;
      const amounts = problem.venues.map(({ id }) => answer.allocation[id] as number);
      const staying = objective(
        problem,
        problem.venues.map(({ current }) => current),
      );
      const gain = objective(problem, amounts);
      const best = bruteForce(problem).value;
      const scale = Math.max(1, Math.abs(best), Math.abs(staying));
      expect(gain, `seed ${seed}`).to.be.at.least(best - 1e-9 * scale);
      expect(violation(problem, amounts), `seed ${seed}`).to.be.at.most(1e-9 * problem.total);
      // What is said of it, own size and what moving costs by size included.
      expect(answer.gainOverHorizon, `seed ${seed}`).to.be.closeTo(gain - staying, 1e-9 * scale);
      const income = problem.venues.reduce((sum, { model }, i) => {
        return sum + (amounts[i] as number) * aprOf(model, amounts[i] as number);
      }, 0);
      expect(answer.incomePerYear, `seed ${seed}`).to.be.closeTo(income, 1e-9 * Math.max(1, income));
      expect(answer.exact, `seed ${seed}`).to.equal(true);
      pools += problem.venues.filter(({ model }) => model.kind === "liquidity").length;
    }
    expect(pools).to.be.greaterThan(40);
  });

  it("keeps an id apart that JavaScript has another use for", async () => {
    const venues = [{ id: "__proto__", model: { kind: "fixed", apr: 0.05 } }];
    const out = await run({ total: 100, horizonHours: 8760, gasUsdPerMove: 0, venues }, "--json");
    expect(out).to.include('"allocation":{"__proto__":100}');
  });

  it("shows a table to a person", async () => {
    const out = await run(EXAMPLE);
    expect(out).to.match(/aave-usdc\s+0\.00\s+500,000\.00\s+500,000\.00\s+4\.856 %/);
    expect(out).to.match(/idle\s+1,000,000\.00\s+0\.00\s+-1,000,000\.00/);
    expect(out).to.include("exact: no allocation gains more");
  });

  it("fails with the field and the remedy, and prints nothing else", async () => {
    const refused = async (act: Promise<string>): Promise<Failure> => {
      const error: unknown = await act.then(
        (out) => new Error(`printed ${out}`),
        (reason: unknown) => reason,
      );
      if (!(error instanceof Failure)) throw error;
      return error;
    };
    const failure = await refused(run({ ...EXAMPLE, minIdle: 2e6 }, "--json"));
    expect([failure.field, failure.exitCode]).to.deep.equal(["minIdle", 2]);
    const missing = await refused(
      allocateCommand()
        .parseAsync(["--json"], { from: "user" })
        .then(() => ""),
    );
    expect(missing.line()).to.match(/^--problem: no problem is given .*Give the path/);
  });
});
