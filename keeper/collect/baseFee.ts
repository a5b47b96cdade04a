// What gas cost in one block: base fee, the next one's, and what was paid on top. By the node's own history of fees, since no
// contract can say it. Source: Ethereum execution APIs (eth_feeHistory), EIP-1559.
import { type Chain, quantity } from "../chain/connect";
import { garbage, isMissingMethod, isUnknownBlock } from "../chain/failures";
import type { Head } from "../chain/heads";
import { WorldFailure } from "../config/failure";
import type { Reading } from "./reading";

const SOURCE = "gas";
const SUBJECT = "fees";

/** Of the block's gas: what the cheap, the median and the dear transactions paid on top. */
const PERCENTILES = [10, 50, 90];

/** Reads one source of a chain by requests of its own, beside the sweep. */
export interface ChainRequestCollector {
  readonly source: string;
  readonly subject: string;
  /** @throws WorldFailure `BLOCK_GONE`, `RPC_UNREACHABLE`, `RPC_GARBAGE`, `RPC_ERROR`. */
  read(chain: Chain, head: Head): Promise<Reading>;
}

export const blockFees: ChainRequestCollector = { source: SOURCE, subject: SUBJECT, read: readFees };

async function readFees(chain: Chain, head: Head): Promise<Reading> {
  const history = await feeHistory(chain, head);
  return {
    source: SOURCE,
    subject: SUBJECT,
    state: {
      baseFeePerGas: String(head.baseFeePerGas),
      nextBaseFeePerGas: history === null ? null : String(history.nextBaseFee),
      gasUsedRatio: history?.gasUsedRatio ?? null,
      // Null where the node keeps no history of fees, or the block is empty.
      priorityFeePerGas: history?.rewards?.map(String) ?? null,
      percentiles: PERCENTILES,
    },
    rates: null,
  };
}

interface FeeHistory {
  readonly nextBaseFee: bigint;
  readonly gasUsedRatio: number;
  readonly rewards: readonly bigint[] | null;
}

/** Null: the node does not serve it. */
async function feeHistory(chain: Chain, head: Head): Promise<FeeHistory | null> {
  let raw: unknown;
  try {
    raw = await chain.request("eth_feeHistory", [quantity(1), quantity(head.number), PERCENTILES]);
  } catch (error) {
    if (isUnknownBlock(error)) throw gone(head);
    if (isMissingMethod(error)) return null;
    throw error;
  }
  // Some nodes answer with null rather than an error.
  if (raw === null) return null;
  const { oldestBlock, baseFeePerGas, gasUsedRatio, reward } = raw as Record<string, unknown>;
  const [baseFee, nextBaseFee] = list(baseFeePerGas).map(wei);
  const [used] = list(gasUsedRatio);
  // Asked by number: another base fee is of another block at that height. A node that has not got it answers for an earlier
  // one, or with empty lists.
  if (wei(oldestBlock) !== BigInt(head.number) || baseFee !== head.baseFeePerGas) throw gone(head);
  if (nextBaseFee === undefined || typeof used !== "number" || !(used >= 0 && used <= 1)) {
    throw garbage("eth_feeHistory");
  }
  return { nextBaseFee, gasUsedRatio: used, rewards: used === 0 ? null : rewardsOf(reward) };
}

function rewardsOf(raw: unknown): bigint[] | null {
  if (raw === undefined || raw === null) return null;
  const rewards = list(list(raw)[0]).map(wei);
  if (rewards.length !== PERCENTILES.length) throw garbage("eth_feeHistory");
  return rewards;
}

function list(raw: unknown): unknown[] {
  if (!Array.isArray(raw)) throw garbage("eth_feeHistory");
  return raw as unknown[];
}

function wei(raw: unknown): bigint {
  if (typeof raw !== "string" || !/^0x[0-9a-f]+$/i.test(raw)) throw garbage("eth_feeHistory");
  return BigInt(raw);
}

function gone(head: Head): WorldFailure {
  return new WorldFailure("BLOCK_GONE", `the node does not have block ${head.number} as it was seen`, {
    field: "chain.rpcUrls",
    remedy: "Nothing: it was reorganised away, or this endpoint lags; the next head is read anew.",
  });
}
