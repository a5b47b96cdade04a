// eth_callBundle: what a bundle would do on top of a state, without touching the chain. Amounts follow the arithmetic of
// the geth forks that searchers know; direct payments to the coinbase are not traced and count as zero.
import { AbiCoder, dataSlice, toQuantity } from "ethers";
import { type BundleTransaction, bundleHash } from "./bundles";
import type { DevNode } from "./devNode";
import { NodeRefusal } from "./jsonRpc";

export interface CallBundleRequest {
  readonly transactions: readonly BundleTransaction[];
  /** Block tag of the state to run on. */
  readonly stateBlock: string | number;
  /** Block that the bundle would be in. */
  readonly block: number;
  readonly timestamp: number | null;
}

/** Said to the caller inside a 200 reply, as the real relays do. */
export class SimulationRefusal extends Error {}

interface Outcome {
  readonly gasUsed: bigint;
  readonly succeeded: boolean;
  readonly returned: string;
}

interface CallSpec {
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly gas: string;
}

const ERROR_STRING = "0x08c379a0";

export async function callBundle(node: DevNode, request: CallBundleRequest): Promise<Record<string, unknown>> {
  const { transactions } = request;
  const tag = typeof request.stateBlock === "number" ? toQuantity(request.stateBlock) : request.stateBlock;
  const state = await node.call<{ number: string; baseFeePerGas?: string } | null>("eth_getBlockByNumber", [
    tag,
    false,
  ]);
  if (state === null) throw new SimulationRefusal("header not found");
  const baseFee = BigInt(state.baseFeePerGas ?? "0x0");
  await checkNonces(node, transactions, tag);

  const outcomes =
    transactions.length === 1 || !node.canSimulateSeveral
      ? await runAlone(node, transactions, tag)
      : await runInOrder(node, request, tag);

  let total = 0n;
  let fees = 0n;
  const results = transactions.map((transaction, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new SimulationRefusal("the node left a transaction out");
    const tip = effectiveTip(transaction, baseFee);
    total += outcome.gasUsed;
    fees += outcome.gasUsed * tip;
    return {
      txHash: transaction.hash,
      fromAddress: transaction.from,
      toAddress: transaction.parsed.to ?? "0x",
      gasUsed: Number(outcome.gasUsed),
      gasFees: String(outcome.gasUsed * tip),
      gasPrice: String(tip),
      coinbaseDiff: String(outcome.gasUsed * tip),
      ethSentToCoinbase: "0",
      ...(outcome.succeeded ? { value: outcome.returned } : reverted(outcome.returned)),
    };
  });
  return {
    bundleGasPrice: String(total === 0n ? 0n : fees / total),
    bundleHash: bundleHash(transactions.map(({ hash }) => hash)),
    coinbaseDiff: String(fees),
    ethSentToCoinbase: "0",
    gasFees: String(fees),
    results,
    stateBlockNumber: Number(state.number),
    totalGasUsed: Number(total),
  };
}

async function checkNonces(node: DevNode, transactions: readonly BundleTransaction[], tag: string): Promise<void> {
  const expected = new Map<string, number>();
  for (const { from, nonce, hash } of transactions) {
    const account = expected.get(from) ?? Number(await node.call<string>("eth_getTransactionCount", [from, tag]));
    const kind = nonce < account ? "low" : nonce > account ? "high" : null;
    if (kind !== null) {
      throw new SimulationRefusal(
        `err: nonce too ${kind}: address ${from}, tx: ${nonce} state: ${account}; txhash ${hash}`,
      );
    }
    expected.set(from, nonce + 1);
  }
}

function effectiveTip({ parsed }: BundleTransaction, baseFee: bigint): bigint {
  const cap = parsed.maxFeePerGas ?? parsed.gasPrice ?? 0n;
  const wanted = parsed.maxPriorityFeePerGas ?? cap - baseFee;
  const room = cap - baseFee;
  const tip = wanted < room ? wanted : room;
  return tip > 0n ? tip : 0n;
}

function callSpec({ parsed, from }: BundleTransaction): CallSpec {
  return {
    from,
    to: parsed.to,
    value: toQuantity(parsed.value),
    input: parsed.data,
    gas: toQuantity(parsed.gasLimit),
  };
}

async function runAlone(node: DevNode, transactions: readonly BundleTransaction[], tag: string): Promise<Outcome[]> {
  const [transaction] = transactions;
  if (transaction === undefined) return [];
  if (transactions.length > 1) {
    throw new SimulationRefusal("this node cannot simulate several transactions in a row (no eth_simulateV1)");
  }
  const { input, to, ...rest } = callSpec(transaction);
  const call = { ...rest, data: input, ...(to === null ? {} : { to }) };
  try {
    const returned = await node.call<string>("eth_call", [call, tag]);
    const gasUsed = BigInt(await node.call<string>("eth_estimateGas", [call, tag]));
    return [{ gasUsed, succeeded: true, returned }];
  } catch (failure) {
    const data = revertData(failure);
    if (data === null) throw failure;
    return [{ gasUsed: transaction.parsed.gasLimit, succeeded: false, returned: data }];
  }
}

async function runInOrder(node: DevNode, request: CallBundleRequest, tag: string): Promise<Outcome[]> {
  const [block] = await node.call<{ calls: { status: string; gasUsed: string; returnData: string }[] }[]>(
    "eth_simulateV1",
    [
      {
        blockStateCalls: [
          {
            blockOverrides: {
              number: toQuantity(request.block),
              ...(request.timestamp === null ? {} : { time: toQuantity(request.timestamp) }),
            },
            calls: request.transactions.map((transaction) => ({
              ...callSpec(transaction),
              nonce: toQuantity(transaction.nonce),
            })),
          },
        ],
        validation: false,
      },
      tag,
    ],
  );
  return (block?.calls ?? []).map(({ status, gasUsed, returnData }) => ({
    gasUsed: BigInt(gasUsed),
    succeeded: status === "0x1",
    returned: returnData,
  }));
}

/** Revert data as anvil and Hardhat hand it over; null if the failure is no revert. */
function revertData(failure: unknown): string | null {
  if (!(failure instanceof NodeRefusal)) return null;
  if (typeof failure.data === "string" && failure.data.startsWith("0x")) return failure.data;
  const nested = failure.data as { data?: unknown } | null | undefined;
  if (typeof nested?.data === "string" && nested.data.startsWith("0x")) return nested.data;
  return /revert/i.test(failure.message) ? "0x" : null;
}

function reverted(data: string): Record<string, string> {
  if (!data.startsWith(ERROR_STRING)) return { error: "execution reverted", revert: data };
  const [reason] = AbiCoder.defaultAbiCoder().decode(["string"], dataSlice(data, 4));
  return { error: "execution reverted", revert: String(reason) };
}
