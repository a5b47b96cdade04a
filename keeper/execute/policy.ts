// The signing policy: what the keeper's key may sign. Denies by default, looks at the exact transaction, and compares it
// with what was stored before: the intent, and the decision that the intent commits to.
import { type TransactionLike, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import type { VaultSnapshot } from "../chain/snapshot";
import { WorldFailure } from "../config/failure";
import type { OperatorLimits } from "../decide/strategy";
import type { DecisionRow, IntentRow } from "../store/records";
import { ALL_ASSETS, type DecodedMove, type EncodablePlan, decodeRebalance, encodePlan } from "./encode";

export type PolicyDenial =
  | "POLICY_CHAIN"
  | "POLICY_TYPE"
  | "POLICY_TARGET"
  | "POLICY_VALUE"
  | "POLICY_EXTRAS"
  | "POLICY_ACCOUNT_NONCE"
  | "POLICY_GAS"
  | "POLICY_FEE"
  | "POLICY_PRIORITY_FEE"
  | "POLICY_SELECTOR"
  | "POLICY_CALLDATA"
  | "POLICY_DECISION"
  | "POLICY_PLAN"
  | "POLICY_NONCE"
  | "POLICY_DEADLINE"
  | "POLICY_MAX_LOSS"
  | "POLICY_MOVES"
  | "POLICY_ADAPTER"
  | "POLICY_AMOUNT"
  | "POLICY_BREAKER";

/** The transaction is not signed. Nothing of it was sent. */
export class PolicyFailure extends WorldFailure {
  constructor(
    override readonly code: PolicyDenial,
    detail: string,
  ) {
    super(code, `the signing policy refuses the plan: ${detail}`, {
      remedy:
        "Nothing was signed. If the plan is as it should be, check fees and limits in the config; else find out who changed the stored plan.",
    });
  }
}

/** What one adapter's position may be. Amounts in the asset's unit. */
export interface AdapterLimit {
  readonly adapter: string;
  readonly position: bigint;
  /** Most that the position may be after a move into it. */
  readonly cap: bigint;
}

/** Limits of the moment: from the newest snapshot and the operator's own. */
export interface PolicyLimits {
  readonly adapters: readonly AdapterLimit[];
  /** Most that `guard.maxLoss` may allow, in the asset's unit. */
  readonly maxLoss: bigint;
  /** Most chain seconds from the block that is signed on to the deadline. */
  readonly maxLifetimeSeconds: number;
  /** The keeper's own breaker has tripped: money goes out of venues, and nowhere else. */
  readonly onlyToIdle: boolean;
}

/** What the transaction has to agree with. */
export interface PolicyContext {
  readonly chainId: number;
  readonly vault: string;
  readonly intent: IntentRow;
  readonly decision: Pick<DecisionRow, "record" | "recordHash">;
  readonly limits: PolicyLimits;
  readonly fees: { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint; readonly gasLimit: bigint };
  /** Timestamp of the head that is signed on. */
  readonly now: number;
}

const WAD = 10n ** 18n;
/** A position grows until its plan lands: a thousandth above a cap is not a breach of ours, and the vault's is exact. */
const ACCRUAL_SLACK = 1_000n;
/** Venues round against the depositor by up to this much a move; every plan may lose as much, however small the vault. */
const ROUNDING_PER_MOVE = 4n;

/** The operator's and the vault's caps as they bind at a snapshot, whichever is tighter. */
export function policyLimitsOf(
  snapshot: VaultSnapshot,
  operator: OperatorLimits,
  { onlyToIdle }: Pick<PolicyLimits, "onlyToIdle">,
): PolicyLimits {
  const total = snapshot.totalAssets;
  const share = (fraction: number): bigint => (total * BigInt(Math.round(fraction * 1e9))) / 1_000_000_000n;
  const adapters = snapshot.adapters.map((adapter) => {
    const relative = (total * adapter.relativeCap) / WAD;
    const own = operator.venueCaps[adapter.id];
    const caps = [adapter.absoluteCap, relative, ...(own === undefined ? [] : [share(own)])];
    return { adapter: adapter.adapter, position: adapter.fairValue, cap: caps.reduce((a, b) => (a < b ? a : b)) };
  });
  const loss = share(operator.maxLossBps / 10_000);
  const rounding = ROUNDING_PER_MOVE * BigInt(adapters.length);
  return {
    adapters,
    maxLoss: withSlack(loss > rounding ? loss : rounding),
    maxLifetimeSeconds: operator.deadlineSeconds,
    onlyToIdle,
  };
}

/** @throws PolicyFailure with the code of the first rule that the transaction breaks. */
export function checkPolicy(transaction: TransactionLike<string>, context: PolicyContext): void {
  checkEnvelope(transaction, context);
  checkCommitment(transaction.data ?? "", context);
  checkMoves(transaction.data ?? "", context);
}

function checkEnvelope(transaction: TransactionLike<string>, { chainId, vault, intent, fees }: PolicyContext): void {
  const { type, to, value, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const big = (amount: TransactionLike["value"]): bigint | null =>
    amount === undefined || amount === null ? null : BigInt(amount);
  demand(big(transaction.chainId) === BigInt(chainId), "POLICY_CHAIN", "it is for another chain");
  demand(intent.chainId === chainId, "POLICY_CHAIN", "the intent is of another chain");
  demand(type === 2, "POLICY_TYPE", "it is not of type 2");
  demand(same(to, vault) && same(intent.vault, vault), "POLICY_TARGET", "it calls something else than the vault");
  demand(big(value) === 0n, "POLICY_VALUE", "it sends ether");
  const known = ["type", "chainId", "nonce", "to", "value", "data", "gasLimit", "maxFeePerGas", "maxPriorityFeePerGas"];
  const extra = Object.keys(transaction).find((field) => !known.includes(field));
  demand(extra === undefined, "POLICY_EXTRAS", `it has a field ${extra}`);
  demand(nonce === intent.accountNonce, "POLICY_ACCOUNT_NONCE", "its account nonce is not the intent's");
  const gas = big(gasLimit) ?? 0n;
  demand(
    gas > 0n && gas <= fees.gasLimit,
    "POLICY_GAS",
    `its gas limit ${gas} is over the ceiling of ${fees.gasLimit}`,
  );
  demand(gas === BigInt(intent.gasLimit), "POLICY_GAS", "its gas limit is not the intent's");
  const fee = big(maxFeePerGas) ?? 0n;
  const tip = big(maxPriorityFeePerGas);
  demand(fee > 0n && fee <= fees.maxFeePerGas, "POLICY_FEE", `its fee of ${fee} wei is over the ceiling`);
  demand(
    tip !== null && tip <= fees.maxPriorityFeePerGas && tip <= fee,
    "POLICY_PRIORITY_FEE",
    `its priority fee of ${tip} wei is over the ceiling`,
  );
}

/** Calldata, intent and decision tell the same story, down to the byte. */
function checkCommitment(data: string, { intent, decision, limits, now }: PolicyContext): void {
  const decoded = decodeRebalance(data);
  demand(decoded !== null, "POLICY_SELECTOR", "it is no canonical call of rebalance");
  demand(data.toLowerCase() === intent.calldata.toLowerCase(), "POLICY_CALLDATA", "its calldata is not the intent's");
  const { guard } = decoded;
  const recordHash = keccak256(toUtf8Bytes(decision.record));
  demand(
    recordHash === decision.recordHash && guard.decision === recordHash,
    "POLICY_DECISION",
    "it does not commit to the stored decision",
  );
  const plan = planOfRecord(decision.record);
  demand(
    plan !== null && encodePlan(plan, recordHash) === data.toLowerCase(),
    "POLICY_PLAN",
    "it is not the plan of the stored decision",
  );
  demand(guard.nonce === BigInt(intent.planNonce), "POLICY_NONCE", "its plan nonce is not the intent's");
  demand(guard.deadline === BigInt(intent.deadline), "POLICY_DEADLINE", "its deadline is not the intent's");
  demand(intent.deadline > now, "POLICY_DEADLINE", "its deadline has passed");
  demand(
    intent.deadline <= now + limits.maxLifetimeSeconds,
    "POLICY_DEADLINE",
    `its deadline is more than ${limits.maxLifetimeSeconds} s away`,
  );
  demand(
    guard.maxLoss <= limits.maxLoss,
    "POLICY_MAX_LOSS",
    `it allows a loss of ${guard.maxLoss}, over ${limits.maxLoss}`,
  );
}

/** Order and venue data need no look: the plan's own encoding, compared above, has withdrawals first and no data. */
function checkMoves(data: string, { limits }: PolicyContext): void {
  const moves = decodeRebalance(data)?.moves ?? [];
  demand(moves.length > 0, "POLICY_MOVES", "it moves nothing");
  const seen = new Set<string>();
  for (const move of moves) {
    const key = move.adapter.toLowerCase();
    demand(!seen.has(key), "POLICY_MOVES", `it moves ${move.adapter} twice`);
    seen.add(key);
    checkMove(move, limits);
  }
}

function checkMove(move: DecodedMove, limits: PolicyLimits): void {
  const limit = limits.adapters.find(({ adapter }) => same(adapter, move.adapter));
  demand(limit !== undefined, "POLICY_ADAPTER", `${move.adapter} is no adapter of this vault`);
  demand(move.assets !== 0n, "POLICY_AMOUNT", "a move of nothing");
  if (move.assets > 0n) {
    demand(
      !limits.onlyToIdle,
      "POLICY_BREAKER",
      `it puts ${move.assets} into ${move.adapter} while the keeper's breaker is tripped`,
    );
    demand(
      limit.position + move.assets <= withSlack(limit.cap),
      "POLICY_AMOUNT",
      `${move.assets} into ${move.adapter} would exceed its cap of ${limit.cap}`,
    );
  } else if (move.assets !== ALL_ASSETS) {
    demand(
      -move.assets <= withSlack(limit.position),
      "POLICY_AMOUNT",
      `${-move.assets} out of ${move.adapter}, which holds ${limit.position}`,
    );
  }
}

const decimal = z
  .string()
  .regex(/^-?\d+$/)
  .transform((text) => BigInt(text));
const recordedPlan = z.object({
  output: z.object({
    action: z.literal("rebalance"),
    nonce: decimal,
    deadline: z.number().int(),
    maxLoss: decimal,
    moves: z.array(z.object({ venue: z.string(), adapter: z.string(), assets: decimal, all: z.boolean() })),
  }),
});

function planOfRecord(record: string): EncodablePlan | null {
  try {
    return recordedPlan.parse(JSON.parse(record)).output;
  } catch {
    return null;
  }
}

function demand(condition: boolean, code: PolicyDenial, detail: string): asserts condition {
  if (!condition) throw new PolicyFailure(code, detail);
}

function same(a: string | null | undefined, b: string): boolean {
  return typeof a === "string" && a.toLowerCase() === b.toLowerCase();
}

function withSlack(amount: bigint): bigint {
  return amount + amount / ACCRUAL_SLACK;
}
