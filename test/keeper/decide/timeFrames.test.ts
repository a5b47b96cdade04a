import { expect } from "chai";
import { decide } from "../../../keeper/decide/decide";
import type { StrategyInput } from "../../../keeper/decide/strategy";
import { TIME_FRAMES } from "../../../keeper/decide/timeFrames";
import { FORECASTS, holding, LIMITS, strategyInput, planOf } from "./vaultSnapshot";

const USDC = 10n ** 6n;
const WAD = 10n ** 18n;

describe("a decision over several time frames", () => {
  /** All that may be out is, where Aave is forecast to pay more for the week than either. */
  const inSavings = holding({ "savings-usdc": 590_000n * USDC, "compound-v3-usdc": 390_000n * USDC });
  const withFrames = (aave: readonly number[], change: Partial<StrategyInput> = {}): StrategyInput =>
    strategyInput({
      snapshot: inSavings,
      limits: { ...LIMITS, cooldownSeconds: 0 },
      ...change,
      forecasts: FORECASTS.map((forecast) => ({
        ...forecast,
        frames: TIME_FRAMES.map((hours, k) => ({
          hours,
          apr: forecast.venue === "aave-v3-usdc" ? (aave[k] ?? NaN) : forecast.apr,
        })),
      })),
    });

  it("says nothing of them where all agree", () => {
    expect(planOf(withFrames([0.0525, 0.0525, 0.0525, 0.0525])).reason).to.not.match(/ loses /);
  });

  it("moves for the week although the next hour loses a little, and gives that as a reason beside the gain", () => {
    const plan = planOf(withFrames([0.02, 0.05, 0.0525, 0.0525]));
    expect(plan.reason).to.match(/though by the rates of shorter or longer times it loses \d+\.\d\d USD over 1 h$/);
  });

  it("holds where what a day loses leaves less than it has to gain, and names both", () => {
    const output = decide(withFrames([0.0525, 0.0525, 0.005, 0.0525]));
    expect(output).to.include({ action: "hold", code: "frames-disagree" });
    expect(output.reason).to.match(/gains .* as forecast.*loses \d+\.\d\d USD over 24 h: less than .* would be left/);
  });

  it("moves what a limit forces out whatever they say, and says it", () => {
    const capped = inSavings.adapters.map((one) =>
      one.id === "savings-usdc" ? { ...one, relativeCap: (3n * WAD) / 10n } : one,
    );
    const plan = planOf(withFrames([0.0525, 0.0525, -0.5, 0.0525], { snapshot: { ...inSavings, adapters: capped } }));
    expect(plan.reason)
      .to.match(/above its cap/)
      .and.to.match(/over 24 h/);
  });

  it("names those that are against a move that gains too little anyway", () => {
    const output = decide(withFrames([-0.1, 0.0525, 0.0525, 0.0525], { limits: { ...LIMITS, minGainUsd: 1e6 } }));
    expect(output.reason).to.match(/gains .*loses .* over 1 h; it has to gain 1,000,000\.00 USD/);
  });
});
