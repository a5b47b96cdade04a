import { expect } from "chai";
import fc from "fast-check";
import { decide } from "../../../keeper/decide/decide";
import type { Plan, RiskInput, StrategyInput } from "../../../keeper/decide/strategy";
import type { Scenario } from "../../../keeper/risk/scenarios";
import { FORECASTS, holding, LIMITS, snapshot, strategyInput, planOf } from "./vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;

function holdCode(input: StrategyInput): string {
  const output = decide(input);
  return output.action === "hold" ? output.code : `a plan: ${output.reason}`;
}

const inflow = (plan: Plan): bigint => plan.moves.reduce((sum, m) => (m.assets > 0n ? sum + m.assets : sum), 0n);

describe("decision", () => {
  it("puts idle money to work, most of it where it earns the most, and says what that gains", () => {
    const plan = planOf(strategyInput());
    const aave = plan.moves.find((move) => move.venue === "aave-v3-usdc");
    expect(Number(aave?.assets) / 1e6).to.be.closeTo(599_400, 1);
    expect(plan.expectedGainUsd).to.be.greaterThan(500);
    expect(plan.reason)
      .to.match(/into aave-v3-usdc/)
      .and.to.match(/gas/);
    expect(plan.nonce).to.equal((3n << 64n) | 7n);
    expect(plan.deadline).to.equal(1_800_000_600);
  });

  it("leaves the vault's minimum idle, and more than its own where that is stricter", () => {
    const vaults = planOf(strategyInput());
    expect(1_000_000n * USDC - inflow(vaults) >= 20_000n * USDC).to.equal(true);
    const own = planOf(strategyInput({ limits: { ...LIMITS, minimumIdle: 0.1 } }));
    expect(1_000_000n * USDC - inflow(own) >= 100_000n * USDC).to.equal(true);
  });

  it("never plans past a cap of the vault, of the operator, of a group or of the venue's cash", () => {
    const tight = strategyInput({ limits: { ...LIMITS, venueCaps: { "aave-v3-usdc": 0.1 } } });
    const plan = planOf(tight);
    expect((plan.moves.find((m) => m.venue === "aave-v3-usdc")?.assets ?? 0n) <= 100_000n * USDC).to.equal(true);

    const grouped = snapshot({ groups: [{ name: "lending", relativeCap: (3n * WAD) / 10n }] });
    const lending = grouped.adapters.map((a) => (a.kind === "erc4626" ? a : { ...a, groupMask: 1n }));
    const inGroup = planOf(strategyInput({ snapshot: { ...grouped, adapters: lending } }))
      .moves.filter((m) => m.venue !== "savings-usdc")
      .reduce((sum, m) => sum + m.assets, 0n);
    expect(inGroup > 0n && inGroup <= 300_000n * USDC).to.equal(true);

    const shallow = planOf(strategyInput({ limits: { ...LIMITS, maxShareOfVenue: 0.01 } }));
    expect((shallow.moves.find((m) => m.venue === "aave-v3-usdc")?.assets ?? 0n) <= 60_000n * USDC).to.equal(true);
  });

  for (const [code, input] of [
    ["not-open", strategyInput({ snapshot: snapshot({ opened: false }) })],
    ["not-a-keeper", strategyInput({ snapshot: snapshot({ isKeeper: false }) })],
    ["breaker-tripped", strategyInput({ snapshot: snapshot({ breaker: "guardian-tripped" }) })],
    ["gas-too-dear", strategyInput({ snapshot: snapshot({ baseFeePerGas: 61n * 10n ** 9n }) })],
    ["cooldown", strategyInput({ lastRebalanceAt: 1_800_000_000 - 3599 })],
    ["no-forecast", strategyInput({ forecasts: FORECASTS.slice(1) })],
    ["no-funds", strategyInput({ snapshot: snapshot({ idle: 0n, totalAssets: 0n, accountedAssets: 0n }) })],
    ["gain-too-small", strategyInput({ limits: { ...LIMITS, minGainUsd: 5000 } })],
    [
      "budget-spent",
      strategyInput({ snapshot: snapshot({ turnoverBudget: { limit: WAD, windowSeconds: 86_400, available: 0n } }) }),
    ],
  ] as const) {
    it(`holds with the code ${code} and a reason in words`, () => {
      expect(holdCode(input)).to.equal(code);
      expect(decide(input).reason).to.have.length.greaterThan(10);
    });
  }

  describe("under the keeper's own look at risk", () => {
    const verdict = (limit: number, advice: "reduce" | "hold" | "may-grow", venue = "aave-v3-usdc") => ({
      ...{ venue, score: 50, limit, advice, reason: `${advice}: a test` },
    });
    const risk = (verdicts: RiskInput["verdicts"], rest: Partial<RiskInput> = {}): RiskInput => ({
      ...{ verdicts, scenarios: [], tripped: [], closing: null },
      ...rest,
    });
    const into = (plan: Plan, venue: string): number =>
      Number(plan.moves.find((move) => move.venue === venue)?.assets ?? 0n) / 1e6;

    it("plans no further than a venue's risk limit, and never past the vault's for a looser one", () => {
      const tight = planOf(strategyInput({ risk: risk([verdict(0.2, "may-grow")]) }));
      expect(into(tight, "aave-v3-usdc")).to.be.within(199_000, 200_000);
      const loose = planOf(strategyInput({ risk: risk([verdict(1, "may-grow")]) }));
      expect(into(loose, "aave-v3-usdc")).to.be.closeTo(599_400, 1);
    });

    it("takes money out where risk says reduce, even at a cost, and leaves it where risk says hold", () => {
      const held = holding({ "aave-v3-usdc": 500_000n * USDC, "savings-usdc": 400_000n * USDC });
      const reduced = planOf(strategyInput({ snapshot: held, risk: risk([verdict(0.2, "reduce")]) }));
      expect(into(reduced, "aave-v3-usdc")).to.be.within(-301_000, -300_000);
      expect(reduced.reason).to.contain("aave-v3-usdc is above its risk limit (reduce: a test)");
      const kept = decide(strategyInput({ snapshot: held, risk: risk([verdict(0.48, "hold")]) }));
      expect(kept.action === "hold" ? 0 : into(kept, "aave-v3-usdc")).to.equal(0);
    });

    it("moves nothing for a limit that a venue which pays nothing breaks", () => {
      const held = holding({ "aave-v3-usdc": 500_000n * USDC, "savings-usdc": 400_000n * USDC });
      const stuck = held.adapters.map((one) => (one.id === "aave-v3-usdc" ? { ...one, maxWithdraw: 0n } : one));
      const limits = { ...LIMITS, minGainUsd: 1e9 };
      const output = decide(
        strategyInput({ snapshot: { ...held, adapters: stuck }, limits, risk: risk([verdict(0.1, "reduce")]) }),
      );
      expect(output.action, output.reason).to.equal("hold");
    });

    it("counts what joint shocks are expected to cost against the rate", () => {
      const shocks = { scenarios: [{ id: "x", probabilityPerYear: 0.1, lossShare: { "aave-v3-usdc": 1 } }] };
      const plan = planOf(strategyInput({ risk: risk([], shocks) }));
      // 5.3 % less a tenth is below nothing.
      expect(into(plan, "aave-v3-usdc")).to.equal(0);
      expect(into(plan, "savings-usdc")).to.be.above(0);
    });

    it("holds while its own breaker is tripped, and says what tripped it", () => {
      const tripped = [{ cause: "drawdown", detail: "60 bp" }] as const;
      expect(holdCode(strategyInput({ risk: risk([], { tripped }) }))).to.equal("keeper-breaker-tripped");
      expect(decide(strategyInput({ risk: risk([], { tripped }) })).reason).to.match(/drawdown \(60 bp\)/);
    });
  });

  it("decides again as soon as the cooldown is over", () => {
    expect(decide(strategyInput({ lastRebalanceAt: 1_800_000_000 - 3600 })).action).to.equal("rebalance");
  });

  it("stays where it is when it is already at its best", () => {
    const plan = planOf(strategyInput());
    const positions = Object.fromEntries(plan.moves.map((m) => [m.venue, m.assets]));
    expect(decide(strategyInput({ snapshot: holding(positions) })).action).to.equal("hold");
  });

  it("does not chase a forecast that today's rates contradict, nor today's rate that the forecast contradicts", () => {
    const held = holding({ "aave-v3-usdc": 500_000n * USDC });
    const rosy = FORECASTS.map((f) => (f.venue === "savings-usdc" ? { ...f, apr: 0.2 } : f));
    const spike = FORECASTS.map((f) => (f.venue === "savings-usdc" ? { ...f, apr: 0.01, currentApr: 0.2 } : f));
    const toSavings = (forecasts: typeof FORECASTS): bigint => {
      const output = decide(strategyInput({ snapshot: held, forecasts }));
      return output.action === "hold"
        ? 0n
        : (output.moves.find((m) => m.venue === "aave-v3-usdc" && m.assets < 0n)?.assets ?? 0n);
    };
    expect(toSavings(rosy)).to.equal(0n);
    expect(toSavings(spike)).to.equal(0n);
  });

  it("takes money out of a venue whose cap was cut, even at a cost", () => {
    const held = holding({ "aave-v3-usdc": 500_000n * USDC, "savings-usdc": 400_000n * USDC });
    const cut = held.adapters.map((a) => (a.id === "aave-v3-usdc" ? { ...a, relativeCap: WAD / 5n } : a));
    const plan = planOf(strategyInput({ snapshot: { ...held, adapters: cut } }));
    const aave = plan.moves.find((m) => m.venue === "aave-v3-usdc");
    expect(aave?.assets !== undefined && aave.assets <= -300_000n * USDC).to.equal(true);
    expect(plan.reason).to.contain("aave-v3-usdc is above its cap");
  });

  it("lets a position that only interest carried over its cap stay", () => {
    const held = holding({ "aave-v3-usdc": 600_500n * USDC, "savings-usdc": 379_000n * USDC });
    expect(decide(strategyInput({ snapshot: held })).reason).to.not.contain("above its cap");
  });

  it("goes as far as the turnover budget pays for", () => {
    const budget = { limit: WAD / 5n, windowSeconds: 86_400, available: WAD / 10n };
    const plan = planOf(strategyInput({ snapshot: snapshot({ turnoverBudget: budget }) }));
    const moved = inflow(plan);
    expect(moved <= 100_000n * USDC && moved > 99_000n * USDC).to.equal(true);
    expect(plan.reason).to.contain("turnover budget");
  });

  it("leaves a quarantined or unreadable venue alone", () => {
    const base = snapshot();
    for (const broken of [{ quarantined: true }, { readable: false, state: null }]) {
      const adapters = base.adapters.map((a) => (a.id === "aave-v3-usdc" ? { ...a, ...broken } : a));
      const plan = planOf(strategyInput({ snapshot: { ...base, adapters } }));
      expect(plan.moves.map((m) => m.venue)).to.not.include("aave-v3-usdc");
    }
  });

  it("empties a venue with one move that names everything", () => {
    const held = holding({ "savings-usdc": 400_000n * USDC, "aave-v3-usdc": 100_000n * USDC });
    const bad = FORECASTS.map((f) => (f.venue === "savings-usdc" ? { ...f, apr: 0.0001, currentApr: 0.0001 } : f));
    const plan = planOf(strategyInput({ snapshot: held, forecasts: bad }));
    const out = plan.moves.find((m) => m.venue === "savings-usdc");
    expect(out).to.include({ all: true, assets: -400_000n * USDC });
    expect(plan.moves[0]).to.equal(out);
  });

  it("keeps every law of a plan on random vaults", () => {
    const money = fc.integer({ min: 0, max: 3_000_000 });
    fc.assert(
      fc.property(
        money,
        money,
        money,
        money,
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        (idle, aave, comet, savings, aprA, aprS) => {
          const total = BigInt(idle + aave + comet + savings) * USDC;
          const held = holding(
            {
              "aave-v3-usdc": BigInt(aave) * USDC,
              "compound-v3-usdc": BigInt(comet) * USDC,
              "savings-usdc": BigInt(savings) * USDC,
            },
            { totalAssets: total, accountedAssets: total },
          );
          const forecasts = FORECASTS.map((f) =>
            f.venue === "aave-v3-usdc"
              ? { ...f, apr: aprA }
              : f.venue === "savings-usdc"
                ? { ...f, apr: aprS, currentApr: aprS }
                : f,
          );
          const output = decide(strategyInput({ snapshot: held, forecasts }));
          expect(decide(strategyInput({ snapshot: held, forecasts }))).to.deep.equal(output);
          if (output.action === "hold") return;
          let spare = held.idle;
          let seenIn = false;
          for (const move of output.moves) {
            const adapter = held.adapters.find((a) => a.id === move.venue);
            if (adapter === undefined) throw new Error("unknown venue");
            expect(move.assets).to.not.equal(0n);
            if (move.assets > 0n) {
              seenIn = true;
              const cap = (adapter.relativeCap * total) / WAD;
              expect(adapter.fairValue + move.assets <= cap).to.equal(true);
            } else {
              expect(seenIn, "withdrawals come first").to.equal(false);
              expect(-move.assets <= adapter.maxWithdraw).to.equal(true);
            }
            spare -= move.assets;
          }
          expect(spare >= 0n).to.equal(true);
          if (inflow(output) > 0n) expect(spare >= (total * held.minimumIdle) / WAD).to.equal(true);
          expect(inflow(output) <= (held.turnoverBudget.available * total) / WAD).to.equal(true);
          expect(output.maxLoss * 10_000n <= total || output.maxLoss <= 12n).to.equal(true);
        },
      ),
      { seed: 20261121, numRuns: 400 },
    );
  });

  describe("with the tail of joint shocks counted", () => {
    const scenarios: Scenario[] = [
      {
        id: "failure-of-aave-v3",
        probabilityPerYear: 0.02,
        lossShare: { "aave-v3-usdc": 0.5, "not-of-this-vault": 1 },
      },
      { id: "failure-of-savings", probabilityPerYear: 0.02, lossShare: { "savings-usdc": 0.5 } },
    ];
    const plain: RiskInput = { verdicts: [], scenarios: [], tripped: [], closing: null };
    const held = (risk: RiskInput, change: Partial<StrategyInput> = {}): StrategyInput =>
      strategyInput({ risk, limits: { ...LIMITS, venueCaps: {} }, ...change });
    const into = (plan: Plan, venue: string): number =>
      Number(plan.moves.find((move) => move.venue === venue)?.assets ?? 0n) / 1e6;

    it("puts less where most may be lost, the more the tail is disliked", () => {
      const amounts = [0, 0.02, 0.1].map((kappa) =>
        into(planOf(held({ ...plain, scenarios, tail: { kappa, confidence: 0.95 } })), "aave-v3-usdc"),
      );
      const [without = 0, some = 0, more = 0] = amounts;
      expect(without).to.be.greaterThan(some);
      expect(some).to.be.greaterThan(more);
      expect(without).to.equal(into(planOf(held({ ...plain, scenarios })), "aave-v3-usdc"));
    });

    it("counts what it lowers as a gain, so that money may move for it alone, and holds for too little of it", () => {
      const inAave = holding({ "aave-v3-usdc": 590_000n * USDC, "savings-usdc": 390_000n * USDC });
      const risk = (kappa: number): RiskInput => ({
        ...plain,
        scenarios: scenarios.slice(0, 1).map((one) => ({ ...one, probabilityPerYear: 0.002 })),
        tail: { kappa, confidence: 0.95 },
      });
      expect(holdCode(held(risk(0), { snapshot: inAave }))).to.match(/already-best|gain-too-small/);
      const plan = planOf(held(risk(2), { snapshot: inAave }));
      expect(plan.moves.find(({ venue }) => venue === "aave-v3-usdc")?.all).to.equal(true);
      expect(plan.expectedGainUsd).to.be.greaterThan(LIMITS.minGainUsd);
      expect(holdCode(held(risk(2), { snapshot: inAave, limits: { ...LIMITS, minGainUsd: 1e6 } }))).to.equal(
        "gain-too-small",
      );
    });
  });
});
