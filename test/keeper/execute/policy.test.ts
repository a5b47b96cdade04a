// The signing policy, one denial at a time: a transaction that passes, and each way to spoil it.
import { expect } from "chai";
import { type TransactionLike, id, keccak256, toUtf8Bytes } from "ethers";
import type { PlanMove } from "../../../keeper/decide/strategy";
import { type EncodablePlan, encodePlan } from "../../../keeper/execute/encode";
import {
  type PolicyContext,
  type PolicyDenial,
  PolicyFailure,
  checkPolicy,
  policyLimitsOf,
} from "../../../keeper/execute/policy";
import { IVault__factory } from "../../../typechain-types";

const VAULT = "0x1111111111111111111111111111111111111111";
const AAVE = "0x2222222222222222222222222222222222222222";
const COMET = "0x3333333333333333333333333333333333333333";
const STRANGER = "0x4444444444444444444444444444444444444444";
const NOW = 1_800_000_000;
const GWEI = 10n ** 9n;

interface Case {
  readonly transaction: TransactionLike<string>;
  readonly context: PolicyContext;
}

function moveOf(adapter: string, assets: bigint, all = false): PlanMove {
  return { venue: "v", adapter, assets, all };
}

const goodPlan: EncodablePlan = {
  moves: [moveOf(AAVE, -400n), moveOf(COMET, 300n)],
  nonce: 5n,
  deadline: NOW + 600,
  maxLoss: 8n,
};

function recordOf(plan: EncodablePlan): string {
  return JSON.stringify({
    output: {
      action: "rebalance",
      nonce: String(plan.nonce),
      deadline: plan.deadline,
      maxLoss: String(plan.maxLoss),
      moves: plan.moves.map((move) => ({ ...move, assets: String(move.assets) })),
    },
  });
}

/** A transaction, intent and decision that agree with each other on `plan`. */
function caseOf(plan: EncodablePlan = goodPlan): Case {
  const record = recordOf(plan);
  const recordHash = keccak256(toUtf8Bytes(record));
  const calldata = encodePlan(plan, recordHash);
  return {
    transaction: {
      type: 2,
      chainId: 1,
      nonce: 9,
      to: VAULT,
      value: 0n,
      data: calldata,
      gasLimit: 1_000_000n,
      maxFeePerGas: 30n * GWEI,
      maxPriorityFeePerGas: GWEI,
    },
    context: {
      chainId: 1,
      vault: VAULT,
      intent: {
        id: "intent",
        decisionId: "decision",
        chainId: 1,
        vault: VAULT,
        keeper: STRANGER,
        planNonce: String(plan.nonce),
        accountNonce: 9,
        calldata,
        gasLimit: "1000000",
        deadline: plan.deadline,
        decidedBlock: 100,
        state: "simulated",
        reason: null,
        includedBlock: null,
        includedBlockHash: null,
        txHash: null,
      },
      decision: { record, recordHash },
      limits: {
        adapters: [
          { adapter: AAVE, position: 1_000n, cap: 2_000n },
          { adapter: COMET, position: 0n, cap: 300n },
        ],
        maxLoss: 8n,
        maxLifetimeSeconds: 600,
        onlyToIdle: false,
      },
      fees: { maxFeePerGas: 30n * GWEI, maxPriorityFeePerGas: GWEI, gasLimit: 1_000_000n },
      now: NOW,
    },
  };
}

function denialOf({ transaction, context }: Case): PolicyDenial | null {
  try {
    checkPolicy(transaction, context);
    return null;
  } catch (failure) {
    if (failure instanceof PolicyFailure) return failure.code;
    throw failure;
  }
}

/** The same transaction, spoiled. */
function withTransaction(change: TransactionLike<string>): Case {
  const good = caseOf();
  return { ...good, transaction: { ...good.transaction, ...change } };
}

function withIntent(change: Partial<PolicyContext["intent"]>): Case {
  const good = caseOf();
  return { ...good, context: { ...good.context, intent: { ...good.context.intent, ...change } } };
}

/** Other calldata, with the intent changed to match: the decision still says what was meant. */
function withCalldata(data: string): Case {
  const spoiled = withIntent({ calldata: data });
  return { ...spoiled, transaction: { ...spoiled.transaction, data } };
}

describe("signing policy", () => {
  it("signs the plan of the stored decision", () => {
    expect(denialOf(caseOf())).to.equal(null);
    expect(denialOf(caseOf({ ...goodPlan, moves: [moveOf(AAVE, -1n, true)] }))).to.equal(null);
  });

  const vault = IVault__factory.createInterface();
  const rich = encodePlan({ ...goodPlan, maxLoss: 9n }, id("x"));
  const spoiled: [string, PolicyDenial, Case][] = [
    ["another chain", "POLICY_CHAIN", withTransaction({ chainId: 5 })],
    ["an intent of another chain", "POLICY_CHAIN", withIntent({ chainId: 5 })],
    ["a legacy transaction", "POLICY_TYPE", withTransaction({ type: 0 })],
    ["no type", "POLICY_TYPE", withTransaction({ type: null })],
    ["another target", "POLICY_TARGET", withTransaction({ to: STRANGER })],
    ["a creation", "POLICY_TARGET", withTransaction({ to: null })],
    ["an intent for another vault", "POLICY_TARGET", withIntent({ vault: STRANGER })],
    ["ether", "POLICY_VALUE", withTransaction({ value: 1n })],
    ["no value", "POLICY_VALUE", withTransaction({ value: null })],
    ["an access list", "POLICY_EXTRAS", withTransaction({ accessList: [] })],
    ["a blob", "POLICY_EXTRAS", withTransaction({ blobVersionedHashes: [] })],
    ["another account nonce", "POLICY_ACCOUNT_NONCE", withTransaction({ nonce: 10 })],
    ["more gas than the ceiling", "POLICY_GAS", withTransaction({ gasLimit: 1_000_001n })],
    ["other gas than the intent's", "POLICY_GAS", withTransaction({ gasLimit: 999_999n })],
    ["a fee over the ceiling", "POLICY_FEE", withTransaction({ maxFeePerGas: 30n * GWEI + 1n })],
    ["no fee", "POLICY_FEE", withTransaction({ maxFeePerGas: null })],
    ["a tip over the ceiling", "POLICY_PRIORITY_FEE", withTransaction({ maxPriorityFeePerGas: GWEI + 1n })],
    ["a tip over the fee", "POLICY_PRIORITY_FEE", withTransaction({ maxFeePerGas: 5n, maxPriorityFeePerGas: 6n })],
    ["another function", "POLICY_SELECTOR", withCalldata(vault.encodeFunctionData("open", [1n]))],
    ["a byte after the call", "POLICY_SELECTOR", withCalldata(`${caseOf().transaction.data}00`)],
    ["other calldata than the intent's", "POLICY_CALLDATA", withTransaction({ data: rich })],
    ["another decision", "POLICY_DECISION", withCalldata(encodePlan(goodPlan, id("another record")))],
    ["a plan nonce that is not the intent's", "POLICY_NONCE", withIntent({ planNonce: "6" })],
    ["a deadline that is not the intent's", "POLICY_DEADLINE", withIntent({ deadline: NOW + 599 })],
    ["a deadline that has passed", "POLICY_DEADLINE", caseOf({ ...goodPlan, deadline: NOW })],
    ["a deadline too far away", "POLICY_DEADLINE", caseOf({ ...goodPlan, deadline: NOW + 601 })],
    ["a loss over the operator's", "POLICY_MAX_LOSS", caseOf({ ...goodPlan, maxLoss: 9n })],
    ["no moves", "POLICY_MOVES", caseOf({ ...goodPlan, moves: [] })],
    ["an adapter twice", "POLICY_MOVES", caseOf({ ...goodPlan, moves: [moveOf(AAVE, -1n), moveOf(AAVE, 1n)] })],
    ["an unknown adapter", "POLICY_ADAPTER", caseOf({ ...goodPlan, moves: [moveOf(STRANGER, 1n)] })],
    ["a move of nothing", "POLICY_AMOUNT", caseOf({ ...goodPlan, moves: [moveOf(AAVE, 0n)] })],
    ["more than a cap", "POLICY_AMOUNT", caseOf({ ...goodPlan, moves: [moveOf(COMET, 301n)] })],
    ["more than a cap with what is there", "POLICY_AMOUNT", caseOf({ ...goodPlan, moves: [moveOf(AAVE, 1_003n)] })],
    ["more out than is there", "POLICY_AMOUNT", caseOf({ ...goodPlan, moves: [moveOf(AAVE, -1_002n)] })],
  ];
  for (const [what, code, example] of spoiled) {
    it(`refuses ${what} (${code})`, () => expect(denialOf(example)).to.equal(code));
  }

  it("refuses a record that was altered by one digit", () => {
    const good = caseOf();
    const record = good.context.decision.record.replace('"300"', '"301"');
    expect(
      denialOf({ ...good, context: { ...good.context, decision: { ...good.context.decision, record } } }),
    ).to.equal("POLICY_DECISION");
  });

  it("refuses another plan under the right decision hash, in intent and transaction alike", () => {
    const good = caseOf();
    const other = encodePlan({ ...goodPlan, moves: [moveOf(COMET, 299n)] }, good.context.decision.recordHash);
    expect(denialOf(withCalldata(other))).to.equal("POLICY_PLAN");
  });

  it("refuses data for a venue, and withdrawals after deposits", () => {
    const { recordHash } = caseOf().context.decision;
    const guard = { nonce: 5n, deadline: NOW + 600, maxLoss: 8n, decision: recordHash };
    const out = { adapter: AAVE, assets: -400n, data: "0x" };
    const into = { adapter: COMET, assets: 300n, data: "0x" };
    for (const moves of [
      [{ ...out, data: "0x01" }, into],
      [into, out],
    ]) {
      const calldata = vault.encodeFunctionData("rebalance", [moves, guard]);
      expect(denialOf(withCalldata(calldata))).to.equal("POLICY_PLAN");
    }
  });

  it("signs nothing that puts money in while the keeper's own breaker is tripped, and still signs what takes it out", () => {
    const tripped = ({ transaction, context }: Case): Case => ({
      transaction,
      context: { ...context, limits: { ...context.limits, onlyToIdle: true } },
    });
    expect(denialOf(tripped(caseOf()))).to.equal("POLICY_BREAKER");
    expect(denialOf(tripped(caseOf({ ...goodPlan, moves: [moveOf(AAVE, -400n)] })))).to.equal(null);
  });

  it("takes the tighter of the vault's caps and the operator's", () => {
    const snapshot = {
      totalAssets: 1_000_000n,
      adapters: [
        { id: "a", adapter: AAVE, fairValue: 7n, absoluteCap: 10n ** 30n, relativeCap: 5n * 10n ** 17n },
        { id: "b", adapter: COMET, fairValue: 0n, absoluteCap: 1_000n, relativeCap: 10n ** 18n },
        { id: "c", adapter: STRANGER, fairValue: 0n, absoluteCap: 10n ** 30n, relativeCap: 10n ** 18n },
      ],
    };
    const operator = { venueCaps: { c: 0.25 }, maxLossBps: 1, deadlineSeconds: 60 };
    const limits = policyLimitsOf(snapshot as never, operator as never, { onlyToIdle: true });
    expect(limits.adapters).to.deep.equal([
      { adapter: AAVE, position: 7n, cap: 500_000n },
      { adapter: COMET, position: 0n, cap: 1_000n },
      { adapter: STRANGER, position: 0n, cap: 250_000n },
    ]);
    expect(limits.maxLoss).to.equal(100n);
    expect(limits.maxLifetimeSeconds).to.equal(60);
    expect(limits.onlyToIdle).to.equal(true);
  });
});
