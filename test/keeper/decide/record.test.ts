import { expect } from "chai";
import { decide } from "../../../keeper/decide/decide";
import { inputFrom, inputsText, memoryOf, memoryText, recordOf, replay } from "../../../keeper/decide/record";
import type { RiskInput, Strategy } from "../../../keeper/decide/strategy";
import { TIME_FRAMES } from "../../../keeper/decide/timeFrames";
import { InputFailure } from "../../../keeper/config/failure";
import { keccak256, toUtf8Bytes } from "ethers";
import { holding, LIMITS, strategyInput } from "./vaultSnapshot";

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof InputFailure) return error.code;
    throw error;
  }
  return "no failure";
}

const RISK: RiskInput = {
  verdicts: [{ venue: "aave-v3-usdc", score: 61.5, limit: 0.46, advice: "may-grow", reason: "may grow: a test" }],
  scenarios: [{ id: "x", probabilityPerYear: 0.003125, lossShare: { "aave-v3-usdc": 0.5 } }],
  tripped: [],
  closing: null,
};

describe("decision record", () => {
  const inputs = {
    plan: strategyInput(),
    hold: strategyInput({ limits: { ...LIMITS, minGainUsd: 1e6 } }),
    "plan under risk": strategyInput({ risk: RISK }),
    "plan under the tail of risk, with time frames and an outlook on gas": strategyInput({
      forecasts: strategyInput().forecasts.map((forecast) => ({
        ...forecast,
        frames: TIME_FRAMES.map((hours) => ({ hours, apr: forecast.apr })),
      })),
      risk: { ...RISK, tail: { kappa: 0.1, confidence: 0.95 } },
      gas: { likelyBaseFee: 900_000_000n, waitSeconds: 600, withinSeconds: 7_200 },
    }),
    "hold of a tripped breaker": strategyInput({
      risk: { ...RISK, tripped: [{ cause: "gas-spike", detail: "400 gwei" }] },
    }),
    "close of everything": strategyInput({
      snapshot: holding({ "aave-v3-usdc": 100_000n * 10n ** 6n }),
      risk: { ...RISK, closing: { unable: [{ venue: "savings-usdc", why: "EmptyMove(index: 0)" }] } },
    }),
  };

  it("names the model, its file, the horizon and the bounds of a forecast by a trained model", () => {
    const [first, ...others] = inputs.plan.forecasts;
    if (first === undefined) throw new Error("the fixture has forecasts");
    const trained = { hash: "a".repeat(64), horizonHours: 168, low: 0.03, high: 0.07 };
    const input = { ...inputs.plan, forecasts: [{ ...first, model: "served", trained }, ...others] };
    const record = recordOf(input, decide(input));
    const { forecasts } = JSON.parse(record.json) as { forecasts: unknown[] };
    expect(forecasts[0]).to.deep.equal({ ...first, model: "served", trained });
    expect(replay(record.json, record.hash, decide).recomputed).to.deep.equal(record);
    const other = recordOf(
      { ...input, forecasts: [{ ...first, model: "served", trained: { ...trained, low: 0.02 } }] },
      decide(input),
    );
    expect(other.hash, "what was served is part of what was decided on").not.to.equal(record.hash);
  });

  for (const [name, input] of Object.entries(inputs)) {
    it(`replays a ${name} byte for byte`, () => {
      const record = recordOf(input, decide(input));
      const result = replay(record.json, record.hash, decide);
      expect(result.recomputed).to.deep.equal(record);
      expect(record.id).to.equal(record.hash.slice(2, 18));
    });
  }

  it("replays a record of before the keeper looked at risk and asked for minimums, which has nothing of either", () => {
    const { moveToleranceBps: _since, ...limits } = LIMITS;
    const record = recordOf({ ...inputs.plan, limits }, decide({ ...inputs.plan, limits }));
    expect(record.json).to.not.match(/"risk"|"minimum"|moveToleranceBps/);
    // The hash of this very record before there was either.
    expect(record.hash).to.equal("0x98ea9e209a3347805d045b29d947bcef3067ab162736ac412ca2718cfac764ef");
    expect(replay(record.json, record.hash, decide).input).to.not.have.property("risk");
  });

  it("gives the input of a tick back from its snapshot and the rest, and refuses a rest that is none", () => {
    for (const input of Object.values(inputs)) {
      const text = inputsText(input);
      expect(text).to.not.contain('"snapshot"');
      expect(inputFrom(input.snapshot, text)).to.deep.equal(input);
      expect(codeOf(() => inputFrom(input.snapshot, text.replace('"limits"', '"limit"')))).to.equal("RECORD_MALFORMED");
    }
    const memory = { halfLifeHours: 24, reachSeconds: 86_400, gasPatienceSeconds: 0 };
    expect(memoryOf(memoryText(memory))).to.deep.equal(memory);
    expect(codeOf(() => memoryOf('{"halfLifeHours":24}'))).to.equal("RECORD_MALFORMED");
  });

  it("refuses the record after any one digit of it was altered", () => {
    const record = recordOf(inputs.plan, decide(inputs.plan));
    const digits = [...record.json.matchAll(/\d/g)].map((match) => match.index);
    for (let i = 0; i < digits.length; i += 17) {
      const at = digits[i] ?? 0;
      const other = record.json[at] === "9" ? "1" : "9";
      const altered = record.json.slice(0, at) + other + record.json.slice(at + 1);
      expect(codeOf(() => replay(altered, record.hash, decide))).to.equal("RECORD_ALTERED");
    }
  });

  it("refuses a record whose hash was altered along with it, when the plan no longer follows from the inputs", () => {
    const record = recordOf(inputs.plan, decide(inputs.plan));
    const altered = record.json.replace(
      /"maxLoss":"(\d+)"/,
      (_all, digits: string) => `"maxLoss":"${BigInt(digits) + 1n}"`,
    );
    expect(altered).to.not.equal(record.json);
    expect(codeOf(() => replay(altered, keccak256(toUtf8Bytes(altered)), decide))).to.equal("RECORD_DIFFERS");
  });

  it("notices a strategy that decides otherwise", () => {
    const record = recordOf(inputs.plan, decide(inputs.plan));
    const other: Strategy = () => ({ action: "hold", code: "cooldown", reason: "another version" });
    expect(codeOf(() => replay(record.json, record.hash, other))).to.equal("RECORD_DIFFERS");
  });

  it("refuses what is no record", () => {
    for (const text of ["", "{}", "[1]", '{"format":"tiller-decision/1"}']) {
      expect(codeOf(() => replay(text, keccak256(toUtf8Bytes(text)), decide))).to.equal("RECORD_MALFORMED");
    }
  });
});
